import type { Hl7Message, Segment } from '../../hl7v2/message.ts';
import type { Issue } from '../../issue.ts';
import type { Condition } from '../condition.ts';
import { type SourcePath, parseSourcePath, readPath } from '../path.ts';
import { type Frame, Run } from '../run.ts';
import { compileWhen } from '../rule.ts';
import { type SourceValue, toLocation, toSegmentName, toText } from '../source.ts';
import { type Group, toGroups } from '../structure.ts';
import type { Table } from '../tables.ts';
import type { V2RuleDocument } from './document.ts';

/** What a rule has done so far, and the message as it then stands. */
export interface V2State {
  readonly message: Hl7Message;
  readonly issues: Issue[];
  /** Places with content that a rule left out. */
  readonly dropped: string[];
  readonly provenance: {
    readonly target: string;
    readonly source: string;
    readonly rule: string;
  }[];
}

/** A rule, compiled: gives the message as the rule leaves it. */
export type V2Step = (state: V2State) => Hl7Message;

export interface V2RuleContext {
  readonly mapId: string;
  readonly tables: ReadonlyMap<string, Table>;
  readonly report: (message: string) => void;
}

interface CompiledV2Rule {
  readonly name: string;
  readonly document: V2RuleDocument;
  readonly from: SourcePath | undefined;
  readonly to: Target | undefined;
  readonly when: Condition | undefined;
  readonly table: Table | undefined;
}

/** A place to write to; `isNext` adds a repetition. */
interface Target {
  readonly segment: string;
  /** What follows the segment's name: `-3[1].4`. */
  readonly rest: string;
  readonly isNext: boolean;
}

const segmentName = /^[A-Z][A-Z0-9]{2}$/;

/** Compiles a rule; its problems are reported. */
export function compileV2Rule(
  document: V2RuleDocument,
  { mapId, tables, report }: V2RuleContext,
): V2Step | undefined {
  const when = compileWhen(document.when, report);
  const name = `${mapId}#${document.id}`;
  if (document.drop !== undefined && segmentName.test(document.from ?? '')) {
    return toSegmentDrop(document.from ?? '', when);
  }
  const from = document.from === undefined ? undefined : parseSourcePath(document.from);
  if (document.from !== undefined && from?.segment === undefined) {
    report(
      `from: ${document.from} is no field such as PID-3[*] or PID-5.1, nor a segment to be dropped`,
    );
  }
  const to = document.to === undefined ? undefined : parseTarget(document.to);
  if (document.to !== undefined && to === undefined) {
    report(`to: ${document.to} is no field such as PID-3, PID-3[+] or PID-5.1`);
  }
  const table = document.table === undefined ? undefined : tables.get(document.table);
  if (document.table !== undefined && table === undefined)
    report(`table: there is no table ${document.table}`);
  const rule = { name, document, from, to, when, table };
  return (state) => applyRule(rule, state);
}

function parseTarget(text: string): Target | undefined {
  const [whole, segment = '', rest = '', next] =
    /^([A-Z][A-Z0-9]{2})(-\d+(?:\[\d+\])?(?:\.\d+){0,2})(\[\+\])?$/.exec(text) ?? [];
  return whole === undefined ? undefined : { segment, rest, isNext: next !== undefined };
}

/** A condition is over the message as the rules before have left it. */
function toFrame(message: Hl7Message, group: Group, segment: Segment | undefined): Frame {
  return {
    run: new Run(message, new Map(), { provenance: false }),
    group,
    segment,
    value: undefined,
  };
}

const open = (message: Hl7Message): Group => toGroups(message, { segments: [], groups: [] });

/** From the last to the first, since what is behind a segment that is gone moves up. */
function toSegmentDrop(name: string, when: Condition | undefined): V2Step {
  return (state) => {
    const group = open(state.message);
    const chosen = state.message
      .segmentsNamed(name)
      .filter((segment) => when?.(toFrame(state.message, group, segment)) !== false);
    let { message } = state;
    for (const segment of chosen.reverse()) {
      message = message.remove(`${name}[${segment.occurrence}]`);
      state.dropped.unshift(toSegmentName(segment));
    }
    return message;
  };
}

/** Once for each segment that the rule reads from, else that it writes to. */
function applyRule(rule: CompiledV2Rule, state: V2State): Hl7Message {
  const name = rule.from?.segment ?? rule.to?.segment ?? '';
  const count = state.message.segmentsNamed(name).length;
  let { message } = state;
  if (count === 0 && rule.from === undefined) {
    return writeTo(rule, { ...state, message }, { occurrence: 1, source: undefined });
  }
  for (let occurrence = 1; occurrence <= count; occurrence++) {
    message = applyAt(rule, { ...state, message }, occurrence);
  }
  return message;
}

function applyAt(rule: CompiledV2Rule, state: V2State, occurrence: number): Hl7Message {
  const { from, to, when, document } = rule;
  const name = from?.segment ?? to?.segment ?? '';
  const segment = state.message.segmentsNamed(name)[occurrence - 1];
  const frame = toFrame(state.message, open(state.message), segment);
  if (when !== undefined && !when(frame)) return state.message;
  if (from === undefined) return writeTo(rule, state, { occurrence, source: undefined });
  let { message } = state;
  const found = readPath(from, frame).filter((source) => source.raw !== '');
  for (const source of found) {
    if (to !== undefined) message = writeTo(rule, { ...state, message }, { occurrence, source });
  }
  if (document.drop !== undefined) state.dropped.push(...found.map(toLocation));
  const isEmptied = document.drop !== undefined || document.move === true;
  // From the last to the first, since repetitions move up too.
  for (const source of isEmptied ? [...found].reverse() : [])
    message = message.remove(toPlace(source));
  return message;
}

/** With the segment's occurrence, which edits need even for the first. */
function toPlace(source: SourceValue): string {
  const { segment } = source;
  return toLocation(source).replace(
    /^[A-Z][A-Z0-9]{2}(?:\[\d+\])?/,
    `${segment.name}[${segment.occurrence}]`,
  );
}

interface Written {
  readonly occurrence: number;
  readonly source: SourceValue | undefined;
}

function writeTo(
  rule: CompiledV2Rule,
  state: V2State,
  { occurrence, source }: Written,
): Hl7Message {
  const { to, from, name } = rule;
  if (to === undefined) return state.message;
  const value = toValue(rule, state, source);
  if (value === undefined) return state.message;
  let { message } = state;
  if (message.segmentsNamed(to.segment).length === 0)
    message = message.append(to.segment, to.segment);
  const isSame = from === undefined || from.segment === to.segment;
  const place = `${to.segment}[${isSame ? occurrence : 1}]${to.rest}`;
  state.provenance.push({
    target: place,
    source: source === undefined ? 'MSH' : toLocation(source),
    rule: name,
  });
  const { text, isRaw } = value;
  if (to.isNext) return isRaw ? message.appendRaw(place, text) : message.append(place, text);
  return isRaw ? message.setRaw(place, text) : message.set(place, text);
}

/** What is copied is as it stands; what a table or constant gives is escaped. */
function toValue(
  { document, table }: CompiledV2Rule,
  { issues }: V2State,
  source: SourceValue | undefined,
): { readonly text: string; readonly isRaw: boolean } | undefined {
  if ('const' in document) return { text: String(document.const), isRaw: false };
  if (source === undefined) return undefined;
  if (table === undefined) return { text: source.raw, isRaw: true };
  const code = toText(source).trim();
  const found = table.translate(code)?.code;
  if (found !== undefined) return { text: found, isRaw: false };
  const policy = document.onUnmapped ?? table.policy;
  if (policy === 'keep') return { text: source.raw, isRaw: true };
  issues.push({
    code: policy === 'hold' ? 'code-unmapped-held' : 'code-unmapped',
    severity: policy === 'omit' ? 'warning' : 'error',
    location: toLocation(source),
    message: `Table ${table.id} has no entry for this code; it stays as it is. Add the code to the table.`,
  });
  return undefined;
}
