import { LineCounter, type Node, type YAMLMap, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { MapDocument, MappingFile } from '../document.ts';
import { toIncludeName, toUseName } from '../parts.ts';
import type { CaseResult } from './result.ts';

/** Where a rule stands, or a part of a message map or block. */
export interface RulePlace {
  /**
   * `PID.Patient#PID-8.gender`; `encounter#encounter`, a resource; `encounter#encounter.subject`, a reference of it;
   * `encounter#encounter PV2.Encounter`, a map of it; `ADT_A01#include visit`, a block.
   */
  readonly rule: string;
  /** `base`, or the layer whose file it stands in. */
  readonly layer: string;
  /** The way that the rule is for. */
  readonly way: 'toFhir' | 'toV2';
  readonly path: string;
  /** Of a rule of the way there: the field that it reads. */
  readonly from?: string;
  /** 1-based. */
  readonly line: number;
}

/**
 * The rules of both ways, of all maps but those from HL7 v2 to HL7 v2, and of their layers: what is written for the
 * way back (`dir: toV2`) is of that, all else of the way there, also what goes back by itself. Of message maps what
 * they consist of; of what they include only that they do, since all of a block is counted where it stands.
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
  const place = (rule: string, at: Node, way: RulePlace['way']): RulePlace => ({
    ...{ rule, layer, way, path },
    line: lines.linePos(at.range?.[0] ?? 0).line,
  });
  const owner = base ?? id;
  const toPlace = (item: YAMLMap, way: RulePlace['way']): RulePlace =>
    place(`${owner}#${String(item.get('id'))}`, item, way);
  if (withRules.has(kind)) {
    return findItems(document.get('rules')).map((item) => {
      const isBack = kind === 'V2SegmentMap' || item.get('dir') === 'toV2';
      if (isBack) return toPlace(item, 'toV2');
      const from = item.get('from');
      return { ...toPlace(item, 'toFhir'), ...(typeof from === 'string' ? { from } : {}) };
    });
  }
  if (kind === 'V2MessageMap') {
    const rules = findParts(document.get('segments')).flatMap((part) => [
      ...(part.has('ignore') ? [part] : []),
      ...findItems(part.get('rules')),
    ]);
    return rules.map((item) => toPlace(item, 'toV2'));
  }
  if (kind === 'MessageMap' || kind === 'MessageBlock') {
    return findResourceParts(document.get('resources'), owner).map(({ name, at }) =>
      place(name, at, 'toFhir'),
    );
  }
  return [];
}

interface NamedPart {
  readonly name: string;
  readonly at: Node;
}

function findResourceParts(list: unknown, owner: string): readonly NamedPart[] {
  return findItems(list).flatMap((item): readonly NamedPart[] => {
    if (item.has('forEach')) return findResourceParts(item.get('resources'), owner);
    const block = item.get('include');
    if (typeof block === 'string') return [{ name: toIncludeName(owner, block), at: item }];
    const toName = (of: YAMLMap): string => `${owner}#${String(of.get('id'))}`;
    const maps = item.get('maps');
    const references = findItems(item.get('references'));
    return [
      { name: toName(item), at: item },
      ...(isSeq(maps) ? maps.items : []).filter(isScalar).map((map) => ({
        ...{ name: toUseName(toName(item), String(map.value)), at: map },
      })),
      ...references.map((reference) => ({ name: toName(reference), at: reference })),
    ];
  });
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
