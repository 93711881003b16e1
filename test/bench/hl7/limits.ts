import type { Position } from './messages.ts';
import { touch, type Reader } from './readers.ts';

/**
 * The least that reading a message can be: split into lines, each line split into fields when one of it is
 * asked for. It knows the usual delimiters alone, checks nothing, keeps no places, and reports nothing.
 */
export const bareReader: Reader = {
  name: 'bare reader (limit)',
  read(text, positions) {
    const message = new BareMessage(text);
    let length = 0;
    for (const position of positions) length += message.get(position)?.length ?? 0;
    return length;
  },
  edit(text, position, value) {
    const message = new BareMessage(text);
    message.set(position, value);
    return touch(message.lines.join('\r'));
  },
};

class BareMessage {
  readonly lines: string[];
  private readonly fields: (string[] | undefined)[];

  constructor(text: string) {
    this.lines = text.split('\r');
    this.fields = new Array<string[] | undefined>(this.lines.length);
  }

  get(position: Position): string | undefined {
    const fields = this.fieldsOf(this.find(position.segment, position.occurrence));
    let value = fields?.[toIndex(position)];
    if (value?.includes('~') === true) value = value.slice(0, value.indexOf('~'));
    value = value?.split('^', position.component)[position.component - 1];
    return value?.includes('\\') === true ? unescape(value) : value;
  }

  set(position: Position, value: string): void {
    const line = this.find(position.segment, position.occurrence);
    const fields = this.fieldsOf(line);
    if (fields === undefined) return;
    const components = (fields[toIndex(position)] ?? '').split('^');
    components[position.component - 1] = value;
    fields[toIndex(position)] = components.join('^');
    this.lines[line] = fields.join('|');
  }

  private find(name: string, occurrence: number): number {
    let left = occurrence;
    return this.lines.findIndex((line) => line.startsWith(name) && --left === 0);
  }

  private fieldsOf(line: number): string[] | undefined {
    return (this.fields[line] ??= this.lines[line]?.split('|'));
  }
}

/** MSH-1 is the separator, so the fields of MSH stand one place further to the left. */
function toIndex({ segment, field }: Position): number {
  return segment === 'MSH' ? field - 1 : field;
}

const marks: Readonly<Record<string, string>> = { F: '|', S: '^', T: '&', R: '~', E: '\\' };

function unescape(value: string): string {
  return value.replaceAll(/\\([FSTRE])\\/g, (_, name: string) => marks[name] ?? '');
}

/** The other limit: every byte of the text looked at for a segment end, nothing else. */
export function scanMemory(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(13); at !== -1; at = bytes.indexOf(13, at + 1)) lines += 1;
  return lines;
}
