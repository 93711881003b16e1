import { LineCounter, type YAMLMap, isMap, isSeq, parseDocument } from 'yaml';
import type { MapDocument, MappingFile } from '../document.ts';
import type { CaseResult } from './result.ts';

/** Where a rule stands. */
export interface RulePlace {
  /** `PID.Patient#PID-8.gender`. */
  readonly rule: string;
  /** `base`, or the layer whose file it stands in. */
  readonly layer: string;
  /** The way that the rule is for. */
  readonly way: 'toFhir' | 'toV2';
  readonly path: string;
  /** 1-based. */
  readonly line: number;
}

/**
 * The rules of both ways, of all maps but those from HL7 v2 to HL7 v2, and of their layers: what is written for the
 * way back (`dir: toV2`) is of that, all else of the way there, also what goes back by itself.
 */
export function findRulePlaces(files: readonly MappingFile[]): readonly RulePlace[] {
  return files.flatMap((file) => (/\.map\.(ya?ml|json)$/.test(file.path) ? findIn(file) : []));
}

const withRules = new Set<MapDocument['kind']>([
  'SegmentMap',
  'DatatypeMap',
  'FhirMap',
  'V2SegmentMap',
]);

function findIn({ path, text }: MappingFile): readonly RulePlace[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const { kind, id, extends: base, layer = 'base' } = document.toJS() as MapDocument;
  const toPlace = (item: YAMLMap, way: RulePlace['way']): RulePlace => ({
    ...{ rule: `${base ?? id}#${String(item.get('id'))}`, layer, way, path },
    line: lines.linePos(item.range?.[0] ?? 0).line,
  });
  if (withRules.has(kind)) {
    return findItems(document.get('rules')).map((item) => {
      const isBack = kind === 'V2SegmentMap' || item.get('dir') === 'toV2';
      return toPlace(item, isBack ? 'toV2' : 'toFhir');
    });
  }
  if (kind === 'V2MessageMap') {
    const rules = findParts(document.get('segments')).flatMap((part) =>
      findItems(part.get('rules')),
    );
    return rules.map((item) => toPlace(item, 'toV2'));
  }
  return [];
}

/** A list that is only referred to (`*order`) is counted where it stands. */
function findItems(list: unknown): readonly YAMLMap[] {
  const items: readonly unknown[] = isSeq(list) ? list.items : [];
  return items.filter(isMap).filter((item) => item.get('override') !== 'disable');
}

function findParts(list: unknown): readonly YAMLMap[] {
  return findItems(list).flatMap((part) => [part, ...findParts(part.get('segments'))]);
}

/** The rules that no case has exercised: a rule of a layer counts where the case has the layer over its map. */
export function findUnexercised(
  places: readonly RulePlace[],
  results: readonly CaseResult[],
): readonly RulePlace[] {
  const layersOf = new Map<string, Set<string>>();
  for (const { rule, layer } of places) {
    const known = layersOf.get(rule) ?? new Set();
    layersOf.set(rule, known.add(layer));
  }
  const exercised = new Set<string>();
  for (const { case: one, fired, firedBack } of results) {
    const add = (rule: string, way: RulePlace['way']): void => {
      const from = one.layers.findLast((layer) => layersOf.get(rule)?.has(layer)) ?? 'base';
      exercised.add(`${from} ${way} ${rule}`);
    };
    for (const rule of fired) add(rule, 'toFhir');
    for (const rule of firedBack) add(rule, 'toV2');
  }
  return places.filter(({ rule, layer, way }) => !exercised.has(`${layer} ${way} ${rule}`));
}
