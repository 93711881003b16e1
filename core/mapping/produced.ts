import type { CompiledMap } from './compiled-map.ts';
import { toSourceText } from './compiled-map.ts';
import type { UnmappedPolicy } from './document.ts';
import { type Frame, beginResource, hasContent } from './run.ts';
import { type SourceValue, toLocation, toText } from './source.ts';
import {
  type Table,
  type UnmappedCode,
  findCoding,
  toLeftOut,
  translateConcept,
} from './tables.ts';
import { type Draft, isEmpty, isPlainObject } from './target.ts';

/** What the code of rules calls. Each gives the value for one source value, and marks what it took as consumed. */

/** The text of a primitive; undefined for none. */
export function takeText({ leaf }: SourceValue): string | undefined {
  const text = leaf.valued ? leaf.text.trim() : '';
  if (text === '') return undefined;
  leaf.isTaken = true;
  return text;
}

/**
 * What a function gave for a value, of which it consumes the first primitive; undefined for none, which is reported
 * where it could not.
 */
export function convert(value: unknown, source: SourceValue, frame: Frame, name: string): unknown {
  const converted = convertOwn(value, source, frame, name);
  if (converted !== undefined) source.leaf.isTaken = true;
  return converted;
}

/** As {@link convert}, of a function that reads all of the value. */
export function convertWhole(
  value: unknown,
  source: SourceValue,
  frame: Frame,
  name: string,
): unknown {
  const converted = convertOwn(value, source, frame, name);
  if (converted !== undefined) source.isTaken = true;
  return converted;
}

/** As {@link convert}, of a function that says itself what it took. */
export function convertOwn(
  value: unknown,
  source: SourceValue,
  frame: Frame,
  name: string,
): unknown {
  if (value === undefined) {
    frame.run.issues.push({
      code: 'value-not-convertible',
      severity: 'warning',
      location: toLocation(source),
      message: `The value cannot be read as ${name}; it was left out. Correct it at its source.`,
    });
  }
  return value ?? undefined;
}

/** A table, what is done with a code that it does not hold where the rule says it, and which rule of which map that is. */
export interface Translating {
  readonly table: Table;
  readonly policy: UnmappedPolicy | undefined;
  readonly map: string;
  readonly rule: string;
}

/** What a table makes of a code. */
export function translateCode(
  frame: Frame,
  source: SourceValue,
  translating: Translating,
): string | undefined {
  const code = toText(source).trim();
  if (code === '') return undefined;
  const found = translating.table.translate(code);
  if (found === undefined) {
    const unmapped = { code, ...toDisplay(source) };
    if (reportUnmapped(frame, source, translating, unmapped)) return undefined;
  }
  source.leaf.isTaken = true;
  return found?.code ?? code;
}

/** What stands behind a code: the text of CWE.2. */
function toDisplay(source: SourceValue): Pick<UnmappedCode, 'display'> {
  const display = source.component === 0 ? toText(source.part(2)).trim() : '';
  return display === '' ? {} : { display };
}

/** The Coding or CodeableConcept as a table has it; provenance of what inner rules wrote begins at `start`. */
export function translateElement(
  concept: Draft | undefined,
  frame: Frame,
  source: SourceValue | undefined,
  translating: Translating,
  start: number,
): Draft | undefined {
  if (concept === undefined) return undefined;
  const translated = translateConcept(concept, translating.table);
  if (translated === 'unmapped') {
    if (reportUnmapped(frame, source, translating, findCoding(concept))) return undefined;
  }
  traceCodings(frame, source, concept, { rule: `${translating.map}#${translating.rule}`, start });
  return concept;
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

/** Whether the unmapped code is left out. */
function reportUnmapped(
  frame: Frame,
  source: SourceValue | undefined,
  { table, policy = table.policy, map, rule }: Translating,
  code: UnmappedCode,
): boolean {
  if (policy === 'keep') return false;
  // A code of which the table says that it has no target waits for nobody.
  if (policy === 'hold' && !table.has(code.code)) {
    frame.run.hold({
      ...{ ...code, table: table.id, map, rule },
      ...(source === undefined ? {} : { location: toLocation(source) }),
    });
    return true;
  }
  frame.run.issues.push({
    code: 'code-unmapped',
    severity: policy === 'error' ? 'error' : 'warning',
    ...(source === undefined ? {} : { location: toLocation(source) }),
    message: toLeftOut(table, code.code, 'this code'),
  });
  return true;
}

/** What a map makes; undefined for nothing. */
export function make(map: CompiledMap, frame: Frame): Draft | undefined {
  const element: Draft = {};
  map.fill(frame, element);
  return isEmpty(element) ? undefined : element;
}

/** The frame of a datatype map that is run on a value. */
export function within({ run, group, segment }: Frame, value: SourceValue): Frame {
  return { run, group, segment, value };
}

/** Puts the resource that a map makes into the Bundle, and refers to it. */
export function addResource(map: CompiledMap, type: string, frame: Frame): Draft | undefined {
  const { run } = frame;
  const outer = run.trace;
  const trace = outer === undefined ? undefined : [];
  run.trace = trace;
  const content = beginResource(type);
  map.fill(frame, content);
  run.trace = outer;
  if (!hasContent(content) || map.identify === undefined) return undefined;
  const identity = map.identify(content, frame);
  const entry = run.addEntry({ type, content, identity, trace: trace ?? [], frame });
  return { reference: entry.fullUrl };
}
