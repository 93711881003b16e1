import { LineCounter, isMap, isSeq, parseDocument } from 'yaml';
import type { MapDocument, MappingFile } from '../document.ts';
import type { CaseResult } from './run.ts';

/** Where a rule stands. */
export interface RulePlace {
  /** `PID.Patient#PID-8.gender`. */
  readonly rule: string;
  /** `base`, or the layer whose file it stands in. */
  readonly layer: string;
  readonly path: string;
  /** 1-based. */
  readonly line: number;
}

/**
 * The rules by which HL7 v2 or FHIR becomes FHIR, of segment, datatype and FHIR maps and of their layers; those of the way
 * back (`dir: toV2`, and maps of other kinds) are none of them.
 */
export function findRulePlaces(files: readonly MappingFile[]): readonly RulePlace[] {
  return files.flatMap((file) => (/\.map\.(ya?ml|json)$/.test(file.path) ? findIn(file) : []));
}

const covered = new Set<MapDocument['kind']>(['SegmentMap', 'DatatypeMap', 'FhirMap']);

function findIn({ path, text }: MappingFile): readonly RulePlace[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const { kind, id, extends: base, layer = 'base' } = document.toJS() as MapDocument;
  const rules = document.get('rules');
  if (!isSeq(rules) || !covered.has(kind)) return [];
  return rules.items.flatMap((item) => {
    if (!isMap(item) || item.get('override') === 'disable' || item.get('dir') === 'toV2') return [];
    const rule = `${base ?? id}#${String(item.get('id'))}`;
    return [{ rule, layer, path, line: lines.linePos(item.range?.[0] ?? 0).line }];
  });
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
  for (const { case: one, fired } of results) {
    for (const rule of fired) {
      const from = one.layers.findLast((layer) => layersOf.get(rule)?.has(layer)) ?? 'base';
      exercised.add(`${from} ${rule}`);
    }
  }
  return places.filter(({ rule, layer }) => !exercised.has(`${layer} ${rule}`));
}
