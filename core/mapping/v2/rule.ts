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
import { SegmentEdits } from './segment-edits.ts';

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

/** The message as the rules before have left it: conditions and values are of that, edits wait for the rule's end. */
interface Scene {
  readonly message: Hl7Message;
  readonly edits: SegmentEdits;
  readonly run: Run;
  readonly group: Group;
}

function toScene(message: Hl7Message): Scene {
  return {
    message,
    edits: new SegmentEdits(message),
    run: new Run(message, new Map(), { provenance: false }),
    group: toGroups(message, { segments: [], groups: [] }),
  };
}

const toFrame = ({ run, group }: Scene, segment: Segment | undefined): Frame => ({
  ...{ run, group, segment },
  value: undefined,
});

function toSegmentDrop(name: string, when: Condition | undefined): V2Step {
  return (state) => {
    const scene = toScene(state.message);
    for (const segment of state.message.segmentsNamed(name)) {
      if (when?.(toFrame(scene, segment)) === false) continue;
      scene.edits.drop(segment);
      state.dropped.push(toSegmentName(segment));
    }
    return scene.edits.finish();
  };
}

/** Once for each segment that the rule reads from, else that it writes to. */
function applyRule(rule: CompiledV2Rule, state: V2State): Hl7Message {
  const { from, to } = rule;
  const name = from?.segment ?? to?.segment ?? '';
  const isMissing = to !== undefined && state.message.segmentsNamed(to.segment).length === 0;
  if (!isMissing) {
    const scene = toScene(state.message);
    for (const segment of state.message.segmentsNamed(name))
      applyAt(rule, state, { scene, segment });
    return scene.edits.finish();
  }
  const isNeeded = from === undefined || state.message.segmentsNamed(name).length > 0;
  if (!isNeeded) return state.message;
  const message = state.message.append(to.segment, to.segment);
  const written = applyRule(rule, { ...state, message });
  return written === message ? state.message : written;
}

interface Here {
  readonly scene: Scene;
  readonly segment: Segment;
}

function applyAt(rule: CompiledV2Rule, state: V2State, { scene, segment }: Here): void {
  const { from, to, when, document } = rule;
  const frame = toFrame(scene, segment);
  if (when !== undefined && !when(frame)) return;
  if (from === undefined) {
    writeTo(rule, state, { scene, segment, source: undefined });
    return;
  }
  const found = readPath(from, frame).filter((source) => source.raw !== '');
  for (const source of found) {
    if (to !== undefined) writeTo(rule, state, { scene, segment, source });
  }
  if (document.drop !== undefined) state.dropped.push(...found.map(toLocation));
  const isEmptied = document.drop !== undefined || document.move === true;
  // From the last to the first, since repetitions move up too.
  for (const source of isEmptied ? [...found].reverse() : [])
    scene.edits.edit(source.segment, (alone) => alone.remove(toPlace(source)));
}

/** In the message where its segment is the only one of the name. */
function toPlace(source: SourceValue): string {
  return toLocation(source).replace(/^[A-Z][A-Z0-9]{2}(?:\[\d+\])?/, `${source.segment.name}[1]`);
}

interface Written extends Here {
  readonly source: SourceValue | undefined;
}

function writeTo(rule: CompiledV2Rule, state: V2State, { scene, segment, source }: Written): void {
  const { to, name } = rule;
  if (to === undefined) return;
  const value = toValue(rule, state, source);
  if (value === undefined) return;
  const target = segment.name === to.segment ? segment : scene.message.segmentsNamed(to.segment)[0];
  if (target === undefined) return;
  state.provenance.push({
    target: `${to.segment}[${target.occurrence}]${to.rest}`,
    source: source === undefined ? 'MSH' : toLocation(source),
    rule: name,
  });
  const place = `${to.segment}[1]${to.rest}`;
  const { text, isRaw } = value;
  scene.edits.edit(target, (alone) => {
    if (to.isNext) return isRaw ? alone.appendRaw(place, text) : alone.append(place, text);
    return isRaw ? alone.setRaw(place, text) : alone.set(place, text);
  });
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
