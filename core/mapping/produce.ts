import type { Code } from './code.ts';
import type { CompiledMap, RuleContext } from './compiled-map.ts';
import type { RuleDocument } from './document.ts';
import { mappingFunctions, selfConsuming, wholeConsuming } from './functions.ts';
import {
  type Translating,
  addResource,
  convert,
  convertOwn,
  convertWhole,
  make,
  takeText,
  translateCode,
  translateElement,
  within,
} from './produced.ts';
import type { Table } from './tables.ts';
import { isPlainObject } from './target.ts';
import { findOwn } from '../own.ts';
import { suggestMeant } from '../suggest.ts';

export type Fail = (message: string) => void;

/** Code for what a rule makes of the value `x`: statements that give `y` from it, if there is one. */
export interface Produced {
  readonly text: string;
  /** The expression for what is written. */
  readonly value: string;
  /** What must hold, else there is nothing to write; `''` where there always is. */
  readonly test: string;
  readonly isObject: boolean;
}

/** Writes the code for one use; `hasSource`: there is an `x`. Undefined where nothing is made. */
export type EmitProduce = (code: Code, hasSource: boolean) => Produced | undefined;

/** Compiles what a rule makes of a value; undefined where it has problems, which are told to `fail`. */
export function compileProduce(
  document: RuleDocument,
  context: RuleContext,
  fail: Fail,
): EmitProduce | undefined {
  const { via, fn, table, resource } = document;
  const map = via === undefined ? undefined : context.maps.get(via);
  const codes = table === undefined ? undefined : context.tables.get(table);
  const call = fn === undefined ? undefined : findOwn(mappingFunctions, fn);
  if (via !== undefined && map === undefined) {
    fail(`via: there is no map ${via}${suggestMeant(via, context.maps.keys())}`);
  } else if (table !== undefined && codes === undefined) {
    fail(`table: there is no table ${table}${suggestMeant(table, context.tables.keys())}`);
  } else if (fn !== undefined && call === undefined) {
    fail(`fn: there is no function ${fn}${suggestMeant(fn, Object.keys(mappingFunctions))}`);
  } else if (fn !== undefined && (via ?? table) !== undefined) {
    fail('fn: expected it without via and table, since a rule makes its value in one way');
  } else if (resource !== undefined && map?.identify === undefined) {
    fail(`resource: ${resource} needs a map with an identity, named by via`);
  } else if (map !== undefined) {
    if (resource !== undefined) return toResource(map, resource);
    if (codes === undefined) return toElement(map);
    return toTranslated(map, toTranslating(codes, document, context.mapId));
  } else if (call !== undefined) return toCalled(call, fn ?? '');
  else if (codes !== undefined) {
    const translating = toTranslating(codes, document, context.mapId);
    return toText((code) => `${code.bind(translateCode)}(frame, x, ${code.bind(translating)})`);
  } else if ('const' in document) return toConstant(document.const);
  else return toText((code) => `${code.bind(takeText)}(x)`);
  return undefined;
}

function toTranslating(table: Table, document: RuleDocument, map: string): Translating {
  return { table, policy: document.onUnmapped, map, rule: document.id };
}

function toText(emit: (code: Code) => string): EmitProduce {
  return (code, hasSource) =>
    hasSource
      ? {
          ...{ text: `const y = ${emit(code)}; `, value: 'y' },
          ...{ test: 'y !== undefined', isObject: false },
        }
      : undefined;
}

/** With a `from` the constant stands for a value that is there, which it therefore consumes. */
function toConstant(value: unknown): EmitProduce {
  const isObject = isPlainObject(value);
  if (value === undefined || (isObject && Object.keys(value).length === 0)) return () => undefined;
  return (_, hasSource) => ({
    ...{ text: hasSource ? 'x.leaf.isTaken = true; ' : '', value: JSON.stringify(value) },
    ...{ test: '', isObject },
  });
}

function toCalled(call: (typeof mappingFunctions)[string], name: string): EmitProduce {
  const takeRead = wholeConsuming.has(name) ? convertWhole : convert;
  const take = selfConsuming.has(name) ? convertOwn : takeRead;
  return toText((code) => {
    const value = `${code.bind(call)}(x, frame)`;
    return `${code.bind(take)}(${value}, x, frame, ${JSON.stringify(name)})`;
  });
}

/** An element made by another map; where a segment map is named, from the segment at hand. */
function toElement(map: CompiledMap): EmitProduce {
  return (code, hasSource) => ({
    ...{ text: `const y = ${emitMake(map, code, hasSource)}; `, value: 'y' },
    ...{ test: 'y !== undefined', isObject: true },
  });
}

function emitMake(map: CompiledMap, code: Code, hasSource: boolean): string {
  if (map.isSegmentMap) return `${code.bind(make)}(${code.bind(map)}, frame)`;
  if (!hasSource) code.usesValue = true;
  const inner = hasSource ? `${code.bind(within)}(frame, x)` : 'frame';
  const made = `${code.bind(make)}(${code.bind(map)}, ${inner})`;
  const { parts } = map;
  return parts === 0
    ? made
    : `(${hasSource ? 'x.content' : 'c'} & ${parts}) === 0 ? undefined : ${made}`;
}

function toTranslated(map: CompiledMap, translating: Translating): EmitProduce {
  return (code, hasSource) => {
    const element = emitMake(map, code, hasSource);
    const source = hasSource ? 'x' : 'undefined';
    const values = `frame, ${source}, ${code.bind(translating)}`;
    return {
      text:
        (code.isTraced ? 'const start = frame.run.trace?.length ?? 0; ' : 'const start = 0; ') +
        `const y = ${code.bind(translateElement)}(${element}, ${values}, start); `,
      ...{ value: 'y', test: 'y !== undefined', isObject: true },
    };
  };
}

function toResource(map: CompiledMap, type: string): EmitProduce {
  return (code, hasSource) => {
    const inner = hasSource && !map.isSegmentMap ? `${code.bind(within)}(frame, x)` : 'frame';
    const made = `${code.bind(addResource)}(${code.bind(map)}, ${JSON.stringify(type)}, ${inner})`;
    return {
      ...{ text: `const y = ${made}; `, value: 'y' },
      ...{ test: 'y !== undefined', isObject: true },
    };
  };
}
