import { type Splice, applySplices, findNextLine } from '../../hl7v2/edit.ts';
import type { Hl7Message, Segment } from '../../hl7v2/message.ts';
import { parseMessage } from '../../hl7v2/parse.ts';

/**
 * Edits of segments of one message, put together once: an edit costs what its segment is long, and not what the
 * message is. What no edit touches stays as it stands.
 */
export class SegmentEdits {
  readonly #message: Hl7Message;
  readonly #header: string;
  /** Each segment that was edited behind a copy of the header, whose delimiters it needs. */
  readonly #alone = new Map<Segment, Hl7Message>();
  readonly #dropped = new Set<Segment>();

  constructor(message: Hl7Message) {
    this.#message = message;
    this.#header = toText(message, message.segments[0]);
  }

  /** `change` is given a message in which the segment is the only one of its name: `OBX[1]-5`. */
  edit(segment: Segment, change: (alone: Hl7Message) => Hl7Message): void {
    const alone = this.#alone.get(segment) ?? this.#isolate(segment);
    this.#alone.set(segment, change(alone));
  }

  /** Takes the segment out, with its end. */
  drop(segment: Segment): void {
    this.#dropped.add(segment);
  }

  /** The message with all edits. */
  finish(): Hl7Message {
    const { text } = this.#message;
    const splices: Splice[] = [];
    for (const [segment, alone] of this.#alone) {
      if (this.#dropped.has(segment)) continue;
      const edited = isHeader(segment) ? alone.text : alone.text.slice(this.#header.length + 1);
      if (edited !== toText(this.#message, segment))
        splices.push({ ...segment.range, text: edited });
    }
    for (const { range } of this.#dropped) {
      splices.push({ start: range.start, end: findNextLine(text, range.end), text: '' });
    }
    return splices.length === 0 ? this.#message : parse(applySplices(text, splices));
  }

  #isolate(segment: Segment): Hl7Message {
    const own = toText(this.#message, segment);
    return parse(isHeader(segment) ? own : `${this.#header}\r${own}`);
  }
}

/** Another MSH further on has delimiters of its own only where a batch was not split. */
const isHeader = ({ name, occurrence }: Segment): boolean => name === 'MSH' && occurrence === 1;

function toText({ text }: Hl7Message, segment: Segment | undefined): string {
  return segment === undefined ? '' : text.slice(segment.range.start, segment.range.end);
}

/** What was a message before an edit is one after it. */
function parse(text: string): Hl7Message {
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error('An edit of a segment left no message');
  return parsed.message;
}
