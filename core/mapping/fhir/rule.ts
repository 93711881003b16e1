import type { Issue } from '../../issue.ts';
import type { Provenance } from '../provenance.ts';
import { type ElementStep, type Node, parseElementPath, readElements } from '../reverse/node.ts';
import { type Table, findCoding, toLeftOut, translateConcept } from '../tables.ts';
import { type Draft, isPlainObject, parseTargetPath, toWritten, writePath } from '../target.ts';
import { type NodeCondition, parseNodeCondition } from './condition.ts';
import type { FhirRuleDocument } from './document.ts';

/** The mapping of one resource. */
export interface FhirState {
  readonly source: Node;
  readonly output: Draft;
  readonly issues: Issue[];
  readonly provenance: Provenance[];
  /** Source paths that rules have read or named. */
  readonly consumed: Set<string>;
  /** Source paths of what is taken away when all rules have run: until then indexes are those of the source. */
  readonly dropped: Set<string>;
  /** Told the rule's name each time it does something. */
  readonly onRule: (rule: string) => void;
}

/** A rule, compiled. */
export type FhirStep = (state: FhirState) => void;

export interface FhirRuleContext {
  readonly mapId: string;
  readonly tables: ReadonlyMap<string, Table>;
  readonly report: (message: string) => void;
}

interface CompiledRule {
  readonly name: string;
  readonly document: FhirRuleDocument;
  readonly from: readonly ElementStep[] | undefined;
  readonly when: NodeCondition | undefined;
  readonly where: NodeCondition | undefined;
  readonly table: Table | undefined;
}

/** Compiles a rule; its problems are reported. */
export function compileFhirRule(document: FhirRuleDocument, context: FhirRuleContext): FhirStep {
  const { mapId, tables, report } = context;
  const from = document.from === undefined ? undefined : parseElementPath(document.from);
  if (document.from !== undefined && (from === undefined || from.length === 0)) {
    report(`from: ${document.from} is no path such as name[*].family`);
  }
  const targets = [document.to, ...Object.keys(document.also ?? {})];
  for (const to of targets) {
    if (to !== undefined && parseTargetPath(fillIn(to, [])) === undefined) {
      report(`to: ${to} is no path such as identifier[*].system or extension[+].valueCode`);
    }
  }
  const table = document.table === undefined ? undefined : tables.get(document.table);
  if (document.table !== undefined && table === undefined) {
    report(`table: there is no table ${document.table}`);
  }
  const compiled: CompiledRule = {
    ...{ name: `${mapId}#${document.id}`, document, from, table },
    when: compileCondition('when', document.when, report),
    where: compileCondition('where', document.where, report),
  };
  return (state) => run(compiled, state);
}

function compileCondition(
  name: string,
  text: string | undefined,
  report: (message: string) => void,
): NodeCondition | undefined {
  if (text === undefined) return undefined;
  const parsed = parseNodeCondition(text);
  if (parsed.ok) return parsed.condition;
  report(`${name}: ${parsed.message}`);
  return undefined;
}

function run(rule: CompiledRule, state: FhirState): void {
  const { document, from, when, where } = rule;
  if (when?.(state.source) === false) return;
  if (from === undefined) {
    write(rule, state, { value: document.const, source: state.source.path, indexes: [] });
    return;
  }
  for (const node of readElements(state.source, from)) {
    if (where?.(toItem(node)) === false) continue;
    apply(rule, state, node);
  }
}

/** The item of the innermost list that the element is or stands in, else the resource. */
function toItem(node: Node): Node {
  let at = node;
  while (at.parent !== undefined && !(isPlainObject(at.value) && at.path.endsWith(']'))) {
    at = at.parent;
  }
  return at;
}

function apply(rule: CompiledRule, state: FhirState, node: Node): void {
  const { document } = rule;
  const at = node.path.slice(state.source.path.length + 1);
  if (document.drop !== undefined) {
    state.consumed.add(node.path);
    state.dropped.add(at);
    state.onRule(rule.name);
    return;
  }
  const value = 'const' in document ? document.const : toValue(rule, state, node);
  const to = fillIn(document.to ?? '', toIndexes(at));
  if (value === undefined) {
    // Of a code that is left out nothing may stay in its place.
    if (to === at) state.dropped.add(at);
    return;
  }
  state.consumed.add(node.path);
  if (document.move === true) state.dropped.add(at);
  write(rule, state, { value, source: node.path, indexes: toIndexes(at) });
}

/** A copy of the element, its code translated; undefined where the table leaves it out. */
function toValue({ document, table }: CompiledRule, state: FhirState, node: Node): unknown {
  const value = structuredClone(node.value);
  if (table === undefined) return value;
  const isConcept = isPlainObject(value);
  const found = isConcept ? translateConcept(value, table) : table.translate(String(value));
  if (found !== undefined && found !== 'unmapped') {
    return typeof found === 'object' ? found.code : value;
  }
  const policy = document.onUnmapped ?? table.policy;
  if (policy === 'keep') return value;
  const code = isConcept ? findCoding(value).code : String(value);
  state.issues.push({
    code: 'code-unmapped',
    severity: policy === 'omit' ? 'warning' : 'error',
    location: node.path,
    message: toLeftOut(table, code, toShown(code)),
  });
  return undefined;
}

/** What looks like a code is named; free text in its place may be about a patient, and is not. */
const toShown = (code: string): string =>
  /^[\w.:/+-]{1,20}$/.test(code) ? `"${code}"` : 'this code';

interface Written {
  readonly value: unknown;
  readonly source: string;
  /** For `[*]` in the path that is written to. */
  readonly indexes: readonly string[];
}

function write(rule: CompiledRule, state: FhirState, { value, source, indexes }: Written): void {
  const { document, name } = rule;
  const constants = Object.entries(document.also ?? {});
  for (const [to, what] of [[document.to ?? '', value] as const, ...constants]) {
    const steps = parseTargetPath(fillIn(to, indexes)) ?? [];
    replacePath(state.output, steps, what);
    const target = `${state.source.path}.${toWritten(state.output, steps)}`;
    state.provenance.push({ target, source, rule: name });
  }
  state.onRule(name);
}

/** As `writePath`, but an object replaces what is there. */
function replacePath(
  output: Draft,
  steps: NonNullable<ReturnType<typeof parseTargetPath>>,
  value: unknown,
): void {
  const isThere = steps.every(({ index }) => index !== 'next');
  if (isThere && isPlainObject(value)) writePath(output, steps, null);
  writePath(output, steps, value);
}

/** The index of each list on the path of an element, in their order. */
const toIndexes = (path: string): readonly string[] =>
  [...path.matchAll(/\[(\d+)\]/g)].map(([, index = '0']) => index);

/** A path in which each `[*]` is the index that the element read has in its list. */
function fillIn(to: string, indexes: readonly string[]): string {
  let at = 0;
  return to.replace(/\[\*\]/g, () => `[${indexes[at++] ?? '0'}]`);
}
