import type { LedgerEntry } from '../../core/ports/ledger.ts';
import {
  findSegmentChanges,
  isHl7Text,
  readEncoding,
  usualEncoding,
} from '../../core/hl7v2/segment-changes.ts';
import type { SegmentChange } from '../../core/hl7v2/segment-changes.ts';
import { packChanges, type Excerpt, type PayloadStep } from '../../core/payload-changes.ts';
import type { EnvelopeHeader } from '../../core/envelope.ts';
import { editorIdOf, type RuntimeNode } from '../node-red.ts';
import { capture, isPlainlySame, isSame, type Captured } from './captured.ts';
import { findExcerpt } from './excerpt.ts';

/** A payload on its way between nodes, and which step has made it; 0: none, it is as the flow got it. */
export interface Passed extends Captured {
  readonly step: number;
}

/** A node that has a message: what came in to it, and what it has made of that so far. */
export interface Visit {
  readonly node: RuntimeNode;
  readonly arrived: Passed;
  /** Those of them that are known again. */
  readonly left: Passed[];
  /** It has sent something on. */
  isSent: boolean;
}

/** One that is being made. */
type Step = { -readonly [Field in keyof PayloadStep]: PayloadStep[Field] };

/** Of each side of an excerpt, in characters; what is longer is in the ledger as a message, before or after the flow. */
const maxExcerpt = 2_048;
/** What a step costs beside its texts, about, as JSON. */
const headBytes = 120;
const changeBytes = 24;
/** A node that sends more different payloads for one message makes a step of each, also where two are the same. */
const maxRemembered = 8;

/** What the nodes of one run of a flow make of a message's payload, until `maxBytes` of it are kept. */
export class Trail {
  readonly #steps: PayloadStep[] = [];
  #count = 0;
  #cut = 0;
  #room: number;

  constructor(maxBytes: number) {
    this.#room = maxBytes;
  }

  /** A payload that comes from no node's message. */
  begin(payload: unknown): Passed {
    return { ...capture(payload), step: 0 };
  }

  /** A message comes in to a node. */
  arrive(node: RuntimeNode, passed: Passed): Visit {
    return { node, arrived: passed, left: [], isSent: false };
  }

  /** A payload leaves a node, or the node fails: a step where it is not what came in. */
  leave(
    { node, arrived, left }: Visit,
    payload: unknown,
    how: { readonly output?: number; readonly failed?: true },
  ): Passed {
    if (isPlainlySame(arrived, payload)) return arrived;
    const now = capture(payload);
    const known = isSame(arrived, now) ? arrived : left.find((each) => isSame(each, now));
    if (known !== undefined) return known;
    this.#count += 1;
    const passed: Passed = { ...now, step: this.#count };
    if (left.length < maxRemembered) left.push(passed);
    this.#record(node, [arrived, passed], how);
    return passed;
  }

  /** For the ledger; nothing where nothing was changed. */
  toEntries({ id, attempt }: EnvelopeHeader): readonly LedgerEntry[] {
    if (this.#count === 0) return [];
    const cut = this.#cut === 0 ? {} : { cut: this.#cut };
    const changes = { messageId: id, attempt, steps: this.#steps, ...cut };
    return [{ type: 'changes', changes: packChanges(changes) }];
  }

  #record(
    node: RuntimeNode,
    [before, after]: readonly [Passed, Passed],
    { output = 1, failed }: { readonly output?: number; readonly failed?: true },
  ): void {
    if (this.#room < headBytes) {
      this.#cut += 1;
      return;
    }
    this.#room -= headBytes;
    const sizes = [before.size, after.size] as const;
    const step: Step = { step: after.step, node: editorIdOf(node), type: node.type, sizes };
    if (before.step !== 0) step.from = before.step;
    if (node.name !== undefined && node.name !== '') step.name = node.name;
    if (output !== 1) step.output = output;
    if (failed !== undefined) step.failed = failed;
    const isText = before.form === 'text' && after.form === 'text';
    if (!isText) step.forms = [before.form, after.form];
    this.#compare(step, before, after);
    this.#steps.push(step);
  }

  #compare(step: Step, before: Captured, after: Captured): void {
    const { text: one } = before;
    const { text: other } = after;
    if (one === undefined || other === undefined) return;
    if (mayBeHl7(before) && mayBeHl7(after) && isHl7Text(one) && isHl7Text(other)) {
      const segments = findSegmentChanges(one, other);
      // None: the ends of segments are what differs.
      if (segments.length > 0) {
        this.#fitSegments(step, segments);
        const encoding = [readEncoding(one), readEncoding(other)] as const;
        if (encoding.some((each) => each !== usualEncoding)) step.delimiters = encoding;
        return;
      }
    }
    this.#fitExcerpt(step, findExcerpt(one, other));
  }

  #fitSegments(step: Step, segments: readonly SegmentChange[]): void {
    const kept: SegmentChange[] = [];
    let cut = 0;
    for (const segment of segments) {
      const [, , , before, after] = segment;
      const bytes = Buffer.byteLength(before ?? '') + Buffer.byteLength(after ?? '');
      if (bytes + changeBytes <= this.#room) {
        this.#room -= bytes + changeBytes;
        kept.push(segment);
      } else cut += bytes;
    }
    step.segments = kept;
    if (cut > 0) step.cut = cut;
  }

  #fitExcerpt(step: Step, { at, before, after }: Excerpt): void {
    const half = Math.floor(this.#room / 2);
    const kept = { at, before: beginningOf(before, half), after: beginningOf(after, half) };
    const bytes = Buffer.byteLength(kept.before) + Buffer.byteLength(kept.after);
    this.#room -= bytes;
    const cut = Buffer.byteLength(before) + Buffer.byteLength(after) - bytes;
    step.excerpt = kept;
    if (cut > 0) step.cut = cut;
  }
}

const mayBeHl7 = ({ form }: Captured): boolean => form === 'text' || form === 'bytes';

/** As much of a text as these bytes hold, for certain: a unit of text has three at most. */
function beginningOf(text: string, maxBytes: number): string {
  const beginning = text.slice(0, Math.min(maxExcerpt, maxBytes));
  if (Buffer.byteLength(beginning) <= maxBytes) return beginning;
  return beginning.slice(0, Math.floor(maxBytes / 3));
}
