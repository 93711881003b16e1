import { type CompiledMap, type RuleContext, applySteps, toSourceText } from './compiled-map.ts';
import type { RuleDocument } from './document.ts';
import { type MappingFunction, mappingFunctions, selfConsuming } from './functions.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toLocation, toText } from './source.ts';
import { type Table, type UnmappedCode, findCoding, translateConcept } from './tables.ts';
import { type Draft, isEmpty, isPlainObject } from './target.ts';

export type Fail = (message: string) => void;

/** The value for one source value; undefined where there is none. Marks what it took as consumed. */
export type Produce = (frame: Frame, source: SourceValue | undefined) => unknown;

/** Compiles what a rule makes of a value; undefined where it has problems, which are told to `fail`. */
export function compileProduce(
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
    if (codes === undefined) return toElement(map);
    return toTranslated(map, codes, document, context.mapId);
  } else if (call !== undefined) return toCalled(call, fn ?? '');
  else if (codes !== undefined) return toCode(codes, document, context.mapId);
  else return 'const' in document ? toConstant(document.const) : toPrimitive;
  return undefined;
}

const toPrimitive: Produce = (_, source) => {
  if (source === undefined) return undefined;
  const { leaf } = source;
  const text = leaf.valued ? leaf.text.trim() : '';
  if (text === '') return undefined;
  leaf.isTaken = true;
  return text;
};

/** With a `from` the constant stands for a value that is there, which it therefore consumes. */
function toConstant(value: unknown): Produce {
  return (_, source) => {
    if (source !== undefined) source.leaf.isTaken = true;
    return value;
  };
}

function toCalled(call: MappingFunction, name: string): Produce {
  const isSelfConsuming = selfConsuming.has(name);
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
    if (!isSelfConsuming) source.isTaken = true;
    return value;
  };
}

function toCode(table: Table, document: RuleDocument, mapId: string): Produce {
  return (frame, source) => {
    if (source === undefined) return undefined;
    const code = toText(source).trim();
    if (code === '') return undefined;
    const found = table.translate(code);
    if (found === undefined) {
      const unmapped = { code, ...toDisplay(source) };
      if (reportUnmapped({ frame, source, document, mapId }, table, unmapped)) return undefined;
    }
    source.leaf.isTaken = true;
    return found?.code ?? code;
  };
}

/** What stands behind a code: the text of CWE.2. */
function toDisplay(source: SourceValue): Pick<UnmappedCode, 'display'> {
  const display = source.component === 0 ? toText(source.part(2)).trim() : '';
  return display === '' ? {} : { display };
}

function toTranslated(
  map: CompiledMap,
  table: Table,
  document: RuleDocument,
  mapId: string,
): Produce {
  const rule = `${mapId}#${document.id}`;
  const element = toElement(map);
  return (frame, source) => {
    const start = frame.run.trace?.length ?? 0;
    const concept = element(frame, source);
    if (!isPlainObject(concept)) return undefined;
    const translated = translateConcept(concept, table);
    if (translated === 'translated') traceCodings(frame, source, concept, { rule, start });
    if (translated !== 'unmapped') return concept;
    const translating = { frame, source, document, mapId };
    const left = reportUnmapped(translating, table, findCoding(concept));
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
  readonly mapId: string;
}

/** Whether the unmapped code is left out. */
function reportUnmapped(
  { frame, source, document, mapId }: Translating,
  table: Table,
  code: UnmappedCode,
): boolean {
  const policy = document.onUnmapped ?? table.policy;
  if (policy === 'keep') return false;
  // A code of which the table says that it has no target waits for nobody.
  if (policy === 'hold' && !table.has(code.code)) {
    frame.run.hold({
      ...{ ...code, table: table.id, map: mapId, rule: document.id },
      ...(source === undefined ? {} : { location: toLocation(source) }),
    });
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
    const inner = toInner(map, frame, source);
    if (map.when !== undefined && !map.when(inner)) return undefined;
    applySteps(map, inner, element);
    return isEmpty(element) ? undefined : element;
  };
}

function toInner(map: CompiledMap, frame: Frame, source: SourceValue | undefined): Frame {
  if (map.isSegmentMap || source === undefined) return frame;
  const { run, group, segment } = frame;
  return { run, group, segment, value: source };
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
    const inner = toInner(map, frame, source);
    const entry = run.addEntry(type, content, identify(content, inner), trace ?? []);
    return { reference: entry.fullUrl };
  };
}
