import type { Issue } from '../../issue.ts';
import type { UnmappedHeld } from '../run.ts';
import type { Table } from '../tables.ts';
import { type GroupDraft, type Place, type SegmentDraft, formatPlace } from './draft.ts';
import type { Ignored } from './ignored.ts';
import type { Input } from './input.ts';
import { type Node, someLeaf } from './node.ts';

/** Where one value of the message came from. */
interface Written {
  readonly target: string;
  readonly source: string;
  readonly rule: string;
}

/** What has been taken of one use of a resource: the same practitioner may be named in several fields. */
export type Taken = Set<string>;

/** Where a rule writes: in which segment, and in a datatype map at which place. */
export interface ReverseFrame {
  readonly run: ReverseRun;
  readonly group: GroupDraft;
  readonly segment: SegmentDraft;
  readonly base: Place | undefined;
  readonly taken: Taken;
  /** Nothing that differs from what stands there may be written: the place is another rule's. */
  readonly agreeOnly: boolean;
}

/** What became of a write. */
type WriteResult = 'written' | 'agreed' | 'differs';

/** The state of making one message. An attempt that fails leaves nothing behind. */
export class ReverseRun {
  readonly input: Input;
  readonly version: string;
  readonly issues: Issue[] = [];
  readonly held: UnmappedHeld[] = [];
  readonly consumed = new Set<string>();
  /** What rules and parts say that they leave out. */
  readonly ignored: Ignored[] = [];
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #onRule: ((rule: string) => void) | undefined;
  readonly #undo: (() => void)[] = [];
  readonly #written: Written[] = [];
  readonly #fired: string[] = [];
  #score = 0;
  #confirmed = 0;

  constructor(
    input: Input,
    tables: ReadonlyMap<string, Table>,
    options: {
      readonly version: string;
      readonly onRule?: ((rule: string) => void) | undefined;
    },
  ) {
    this.input = input;
    this.version = options.version;
    this.#tables = tables;
    this.#onRule = options.onRule;
  }

  table(id: string): Table | undefined {
    return this.#tables.get(id);
  }

  /** Where every value that was written came from. */
  get written(): readonly Written[] {
    return this.#written;
  }

  /** How much of the input has been taken: the better of two attempts takes more. */
  get score(): number {
    return this.#score;
  }

  /** Everything until `rollback` is an attempt. */
  mark(): number {
    return this.#undo.length;
  }

  rollback(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()?.();
  }

  /** Whatever undoes it is kept with the attempt. */
  onRollback(undo: () => void): void {
    this.#undo.push(undo);
  }

  report(issue: Issue): void {
    this.issues.push(issue);
    this.#undo.push(() => this.issues.pop());
  }

  /** Takes an element, or a resource, of which nothing is written; the map says why. */
  ignore(frame: Pick<ReverseFrame, 'taken'>, node: Node, ignored: Omit<Ignored, 'source'>): void {
    this.consume(frame, node);
    this.ignored.push({ source: node.path, ...ignored });
    this.#undo.push(() => this.ignored.pop());
  }

  /** The message waits for a code that a table does not hold. */
  hold(held: UnmappedHeld & { readonly location: string }): void {
    const { table, code, location } = held;
    if (this.held.some((known) => known.table === table && known.code === code)) return;
    this.held.push(held);
    this.#undo.push(() => this.held.pop());
    this.report({
      code: 'code-unmapped-held',
      severity: 'error',
      location,
      message: `Table ${table} has no entry that becomes this code; the message waits for it. Add the code to the table and deploy.`,
    });
  }

  /** Writes a text where nothing stands; what stands there already is never changed. */
  write(frame: ReverseFrame, place: Place, text: string): WriteResult {
    const { segment } = frame;
    const before = segment.get(place);
    if (before !== '') return before === text ? 'agreed' : 'differs';
    segment.set(place, text);
    this.#undo.push(() => segment.set(place, ''));
    return 'written';
  }

  /** Says what a value was made of, for provenance and rule coverage. */
  trace(
    frame: ReverseFrame,
    place: Place,
    from: { readonly source: string; readonly rule: string },
  ): void {
    this.#written.push({ target: formatPlace(frame.segment, place), ...from });
    this.#undo.push(() => this.#written.pop());
  }

  /** A rule that was written for the way back had something to do. */
  fire(rule: string): void {
    this.#fired.push(rule);
    this.#undo.push(() => this.#fired.pop());
  }

  /** Told once the message is made, since attempts may be taken back. */
  tellRules(): void {
    if (this.#onRule === undefined) return;
    const rules = [...this.#fired, ...this.#written.map((one) => one.rule)];
    for (const rule of new Set(rules)) this.#onRule(rule);
  }

  /** Whether anything of it has been taken. */
  isUsed(node: Node): boolean {
    return someLeaf(node.value, node.path, (leaf) => this.consumed.has(leaf));
  }

  /** How many constants that the way there writes stood where they were expected: of attempts that take as much, the one that knew more is right. */
  get confirmed(): number {
    return this.#confirmed;
  }

  confirm(): void {
    this.#confirmed++;
    this.#undo.push(() => this.#confirmed--);
  }

  /** The way there would have written something else: another attempt is likelier to be right. */
  penalize(): void {
    this.#score--;
    this.#undo.push(() => this.#score++);
  }

  /** What was taken since the score was this does not count. */
  recount(score: number): void {
    const taken = this.#score - score;
    this.#score -= taken;
    this.#undo.push(() => (this.#score += taken));
  }

  /** All that stands at and below the element is taken. */
  consume(frame: Pick<ReverseFrame, 'taken'>, node: Node): void {
    someLeaf(node.value, node.path, (leaf) => {
      this.#consumeLeaf(frame.taken, leaf);
      return false;
    });
  }

  #consumeLeaf(taken: Taken, leaf: string): void {
    if (!taken.has(leaf)) {
      taken.add(leaf);
      this.#score++;
      this.#undo.push(() => {
        taken.delete(leaf);
        this.#score--;
      });
    }
    if (!this.consumed.has(leaf)) {
      this.consumed.add(leaf);
      this.#undo.push(() => this.consumed.delete(leaf));
    }
  }
}

/** Whether anything at or below the element is still to be taken. */
export function hasRest({ taken }: ReverseFrame, node: Node): boolean {
  return someLeaf(node.value, node.path, (leaf) => !taken.has(leaf));
}
