import type { RuleDocument } from './document.ts';
import type { Condition } from './condition.ts';
import { parseCondition } from './condition.ts';
import { type MappingFunction, mappingFunctions, selfConsuming } from './functions.ts';
import type { Identify } from './identity.ts';
import { type SourcePath, parseSourcePath, readPath } from './path.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toLeaf, toLocation, toSegmentName, toText } from './source.ts';
import { type Table, type UnmappedCode, findCoding, translateConcept } from './tables.ts';
import {
  type Draft,
  type TargetStep,
  isPlainObject,
  parseTargetPath,
  writePath,
} from './target.ts';

/** One rule, compiled: reads from the frame, writes into the element that is being built. */
export type Step = (frame: Frame, into: Draft) => void;

/** A segment or datatype map, compiled. Its steps are filled in once all maps are known. */
export interface CompiledMap {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly isSegmentMap: boolean;
  readonly identify: Identify | undefined;
  readonly when: Condition | undefined;
  steps: readonly Step[];
}

/** What rules may refer to, and where their problems go. */
export interface RuleContext {
  readonly mapId: string;
  readonly maps: ReadonlyMap<string, CompiledMap>;
  readonly tables: ReadonlyMap<string, Table>;
  report(message: string): void;
}

interface CompiledRule {
  readonly name: string;
  readonly path: SourcePath | undefined;
  readonly to: readonly TargetStep[];
  readonly when: Condition | undefined;
  readonly produce: Produce;
  readonly document: RuleDocument;
  readonly also: readonly (readonly [readonly TargetStep[], unknown])[];
}

type Fail = (message: string) => void;

/** The value for one source value; undefined where there is none. Marks what it took as consumed. */
type Produce = (frame: Frame, source: SourceValue | undefined) => unknown;

/** Compiles a rule to a closure; undefined where it has problems, all of which are reported. */
export function compileRule(document: RuleDocument, context: RuleContext): Step | undefined {
  const problems: string[] = [];
  const fail: Fail = (message) => {
    problems.push(message);
    context.report(message);
  };
  const path = document.from === undefined ? undefined : parseSourcePath(document.from);
  if (document.from !== undefined && path === undefined) {
    fail(`from: ${document.from} is no path such as PID-3[*], PID-5.1 or 4.2`);
  }
  const when = compileWhen(document.when, fail);
  if (document.ignore !== undefined) {
    return problems.length === 0 && path !== undefined
      ? toIgnoreStep(path, when, `${context.mapId}#${document.id}`)
      : undefined;
  }
  const to = parseTarget(document.to ?? '', fail);
  const also = Object.entries(document.also ?? {}).map(
    ([target, value]) => [parseTarget(target, fail), value] as const,
  );
  const produce = compileProduce(document, context, fail);
  if (problems.length > 0 || produce === undefined) return undefined;
  return toStep({
    name: `${context.mapId}#${document.id}`,
    path,
    to,
    when,
    produce,
    document,
    also,
  });
}

/** Compiles a `when`; no condition is always true. */
export function compileWhen(
  text: string | undefined,
  fail: (message: string) => void,
): Condition | undefined {
  if (text === undefined) return undefined;
  const parsed = parseCondition(text);
  if (parsed.ok) return parsed.condition;
  fail(`when: ${parsed.message}, in: ${text}`);
  return undefined;
}

function parseTarget(text: string, fail: (message: string) => void): readonly TargetStep[] {
  const steps = parseTargetPath(text);
  if (steps === undefined) fail(`to: ${text} is no path such as name[+].family`);
  return steps ?? [];
}

function toIgnoreStep(path: SourcePath, when: Condition | undefined, name: string): Step {
  return (frame) => {
    if (when !== undefined && !when(frame)) return;
    for (const source of readPath(path, frame)) {
      if (source.value.valued) frame.run.onRule?.(name);
      if (path.children.length === 0 && path.segment !== undefined) {
        frame.run.consumed.addField(source.segment, path.field);
      } else {
        frame.run.consumed.add(source);
      }
    }
  };
}

function toStep(rule: CompiledRule): Step {
  const { path, when, produce } = rule;
  const { ifNone, join } = rule.document;
  return (frame, into) => {
    if (ifNone !== undefined && hasElement(into, ifNone)) return;
    if (when !== undefined && !when(frame)) return;
    if (path === undefined) {
      write(rule, frame, into, undefined, produce);
      return;
    }
    const sources = readPath(path, frame);
    if (join !== undefined) {
      writeJoined(rule, frame, into, sources);
      return;
    }
    for (const source of sources) {
      if (source.value.valued) write(rule, frame, into, source, produce);
    }
  };
}

function writeJoined(
  rule: CompiledRule,
  frame: Frame,
  into: Draft,
  sources: readonly SourceValue[],
): void {
  const texts: string[] = [];
  for (const source of sources) {
    const text = source.value.valued ? rule.produce(frame, source) : undefined;
    if (typeof text === 'string') texts.push(text);
  }
  const [first] = sources;
  if (texts.length === 0 || first === undefined) return;
  write(rule, frame, into, first, () => texts.join(rule.document.join));
}

function write(
  rule: CompiledRule,
  frame: Frame,
  into: Draft,
  source: SourceValue | undefined,
  produce: Produce,
): void {
  const { trace } = frame.run;
  const start = trace?.length ?? 0;
  const value = produce(frame, source);
  if (value === undefined || (isPlainObject(value) && Object.keys(value).length === 0)) return;
  const target = writePath(into, rule.to, value);
  frame.run.onRule?.(rule.name);
  if (trace !== undefined) {
    const inner = trace.length > start;
    for (let i = start; i < trace.length; i++) {
      const entry = trace[i];
      if (entry === undefined || target === '') continue;
      entry.target = entry.target === '' ? target : `${target}.${entry.target}`;
    }
    if (!inner) trace.push({ target, source: toSourceText(frame, source), rule: rule.name });
  }
  for (const [steps, constant] of rule.also) {
    const place = writePath(into, steps, constant);
    trace?.push({ target: place, source: toSourceText(frame, source), rule: rule.name });
  }
}

function toSourceText(frame: Frame, source: SourceValue | undefined): string {
  if (source !== undefined) return toLocation(source);
  if (frame.value !== undefined) return toLocation(frame.value);
  return frame.segment === undefined ? 'MSH' : toSegmentName(frame.segment);
}

function hasElement(into: Draft, prefix: string): boolean {
  for (const key in into) if (key.startsWith(prefix)) return true;
  return false;
}

function compileProduce(
  document: RuleDocument,
  context: RuleContext,
  fail: Fail,
): Produce | undefined {
  const { via, fn, table, resource } = document;
  const map = via === undefined ? undefined : context.maps.get(via);
  const codes = table === undefined ? undefined : context.tables.get(table);
  const call = fn === undefined ? undefined : mappingFunctions[fn];
  if (via !== undefined && map === undefined) fail(`via: there is no map ${via}`);
  else if (table !== undefined && codes === undefined) fail(`table: there is no table ${table}`);
  else if (fn !== undefined && call === undefined) fail(`fn: there is no function ${fn}`);
  else if (resource !== undefined && map?.identify === undefined) {
    fail(`resource: ${resource} needs a map with an identity, named by via`);
  } else if (map !== undefined) {
    if (resource !== undefined) return toResource(map, resource);
    const name = `${context.mapId}#${document.id}`;
    return codes === undefined ? toElement(map) : toTranslated(map, codes, document, name);
  } else if (call !== undefined) return toCalled(call, fn ?? '');
  else if (codes !== undefined) return toCode(codes, document);
  else return 'const' in document ? toConstant(document.const) : toPrimitive;
  return undefined;
}

const toPrimitive: Produce = (frame, source) => {
  if (source === undefined) return undefined;
  const leaf = toLeaf(source);
  const text = leaf.value.valued ? leaf.value.text.trim() : '';
  if (text === '') return undefined;
  frame.run.consumed.add(leaf);
  return text;
};

/** With a `from` the constant stands for a value that is there, which it therefore consumes. */
function toConstant(value: unknown): Produce {
  return (frame, source) => {
    if (source !== undefined) frame.run.consumed.add(toLeaf(source));
    return value;
  };
}

function toCalled(call: MappingFunction, name: string): Produce {
  return (frame, source) => {
    if (source === undefined) return undefined;
    const value = call(source, frame);
    if (value === undefined) {
      frame.run.issues.push({
        code: 'value-not-convertible',
        severity: 'warning',
        location: toLocation(source),
        message: `The value cannot be read as ${name}; it was left out. Correct it at its source.`,
      });
      return undefined;
    }
    if (value === null) return undefined;
    if (!selfConsuming.has(name)) frame.run.consumed.add(source);
    return value;
  };
}

function toCode(table: Table, document: RuleDocument): Produce {
  return (frame, source) => {
    if (source === undefined) return undefined;
    const code = toText(source).trim();
    if (code === '') return undefined;
    const found = table.translate(code);
    if (found === undefined && reportUnmapped({ frame, source, document }, table, { code })) {
      return undefined;
    }
    frame.run.consumed.add(toLeaf(source));
    return found?.code ?? code;
  };
}

function toTranslated(
  map: CompiledMap,
  table: Table,
  document: RuleDocument,
  rule: string,
): Produce {
  const element = toElement(map);
  return (frame, source) => {
    const start = frame.run.trace?.length ?? 0;
    const concept = element(frame, source);
    if (!isPlainObject(concept)) return undefined;
    const translated = translateConcept(concept, table);
    if (translated === 'translated') traceCodings(frame, source, concept, { rule, start });
    if (translated !== 'unmapped') return concept;
    const left = reportUnmapped({ frame, source, document }, table, findCoding(concept));
    return left ? undefined : concept;
  };
}

/** What of the codings no inner rule wrote (`start` is where its entries begin) comes from the table. */
function traceCodings(
  frame: Frame,
  source: SourceValue | undefined,
  concept: Draft,
  { rule, start }: { readonly rule: string; readonly start: number },
): void {
  const { trace } = frame.run;
  if (trace === undefined) return;
  const { coding } = concept;
  const codings = Array.isArray(coding) ? coding : [concept];
  const written = codings.flatMap((one: unknown, index) => {
    const path = Array.isArray(coding) ? `coding[${index}].` : '';
    return isPlainObject(one) ? Object.keys(one).map((key) => `${path}${key}`) : [];
  });
  // What a target has not, such as a display, is no longer there.
  const inner = trace.splice(start).filter(({ target }) => {
    return !/^(coding\[\d+\]\.)?\w+$/.test(target) || isWritten(concept, written, target);
  });
  trace.push(...inner);
  const known = new Set(inner.map(({ target }) => target));
  for (const target of written) {
    if (!known.has(target)) trace.push({ target, source: toSourceText(frame, source), rule });
  }
}

const isWritten = (concept: Draft, written: readonly string[], target: string): boolean =>
  written.includes(target) || target in concept;

interface Translating {
  readonly frame: Frame;
  readonly source: SourceValue | undefined;
  readonly document: RuleDocument;
}

/** Whether the unmapped code is left out. */
function reportUnmapped(
  { frame, source, document }: Translating,
  table: Table,
  code: UnmappedCode,
): boolean {
  const policy = document.onUnmapped ?? table.policy;
  if (policy === 'keep') return false;
  // A code of which the table says that it has no target waits for nobody.
  if (policy === 'hold' && !table.has(code.code)) {
    frame.run.hold(table.id, code, source === undefined ? undefined : toLocation(source));
    return true;
  }
  frame.run.issues.push({
    code: 'code-unmapped',
    severity: policy === 'error' ? 'error' : 'warning',
    ...(source === undefined ? {} : { location: toLocation(source) }),
    message: `Table ${table.id} has no entry for this code; it was left out. Add the code to the table.`,
  });
  return true;
}

/** An element made by another map; where a segment map is named, from the segment at hand. */
function toElement(map: CompiledMap): Produce {
  return (frame, source) => {
    const element: Draft = {};
    const inner = map.isSegmentMap ? frame : { ...frame, value: source ?? frame.value };
    if (map.when !== undefined && !map.when(inner)) return undefined;
    for (const step of map.steps) step(inner, element);
    return Object.keys(element).length === 0 ? undefined : element;
  };
}

function toResource(map: CompiledMap, type: string): Produce | undefined {
  const { identify } = map;
  if (identify === undefined) return undefined;
  const element = toElement(map);
  return (frame, source) => {
    const { run } = frame;
    const outer = run.trace;
    const trace = outer === undefined ? undefined : [];
    run.trace = trace;
    const content = element(frame, source);
    run.trace = outer;
    if (!isPlainObject(content)) return undefined;
    const inner = map.isSegmentMap ? frame : { ...frame, value: source ?? frame.value };
    const entry = run.addEntry(type, content, identify(content, inner), trace ?? []);
    return { reference: entry.fullUrl };
  };
}
