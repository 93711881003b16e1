import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import type { StructureItem } from '../../../core/hl7v2/definitions/definitions.ts';
import {
  isWithin,
  versions,
  type Version,
  type VersionRange,
} from '../../../core/hl7v2/definitions/versions.ts';
import { findDistinction } from '../../support/definitions/automaton.ts';
import {
  compare,
  type Disagreement,
  isOracleHere,
  type Kind,
  readOracle,
} from '../../support/definitions/oracle.ts';

interface Explanation extends VersionRange {
  readonly structures: readonly string[];
  readonly choice?: Readonly<Record<string, string>>;
  readonly reason: string;
}

const explanations = parse(
  readFileSync(path.join(import.meta.dirname, 'definitions-explained.yaml'), 'utf8'),
) as readonly Explanation[];

/** So many disagreements there are, at most; what they are is in docs/decisions/hl7v2-definitions.md. */
const bounds: Readonly<Record<Version, Readonly<Partial<Record<Kind, number>>>>> = {
  '2.1': { 'field datatype': 2, component: 24, 'table kind': 1, 'table codes': 2 },
  '2.2': { component: 4, 'table kind': 1, 'table codes': 3 },
  '2.3': { 'field repeats': 3, 'table kind': 1, 'table codes': 14 },
  '2.3.1': { 'component datatype': 3, 'table kind': 2, 'table codes': 10 },
  '2.4': { 'field repeats': 2, 'component datatype': 2, 'table kind': 4, 'table codes': 10 },
  '2.5': { component: 6, 'component required': 51, 'table kind': 4, 'table codes': 12 },
  '2.5.1': {
    field: 3,
    'field datatype': 3,
    'field length': 3,
    component: 7,
    'component required': 51,
    'table kind': 5,
    'table codes': 12,
  },
  '2.6': { 'field repeats': 28, component: 9, 'table kind': 4, 'table codes': 10 },
  '2.7': { field: 1, 'field repeats': 27, component: 12, 'table kind': 2, 'table codes': 10 },
  '2.7.1': {
    'field required': 2,
    'field repeats': 37,
    component: 12,
    'table kind': 7,
    'table codes': 18,
  },
  '2.8': {
    'field required': 1,
    'field repeats': 37,
    component: 14,
    'table kind': 2,
    'table codes': 14,
  },
  '2.8.1': {
    'field repeats': 37,
    'field length': 18,
    component: 14,
    'table kind': 2,
    'table codes': 14,
  },
  '2.8.2': {
    'field repeats': 37,
    'field length': 19,
    component: 14,
    'table kind': 2,
    'table codes': 20,
  },
};

if (!isOracleHere) {
  console.warn(
    'SKIPPED: the definitions to compare ours with (../shared/data/hl7-definitions) are not here.',
  );
}

(isOracleHere ? describe : describe.skip)('the definitions of others', () => {
  it.each(versions)(
    'agree with ours for the structures of %s, but for what is explained',
    (version) => {
      const found = compareOnce(version).filter(({ kind }) => kind === 'structure');
      const unexplained = found.filter(({ place }) => !isExplained(version, place));
      expect(unexplained).toHaveLength(structureBounds[version] ?? 0);
    },
  );

  it.each(versions)('disagree with ours about the rest of %s no more than before', (version) => {
    const counts: Partial<Record<Kind, number>> = {};
    for (const { kind } of compareOnce(version)) {
      if (kind !== 'structure') counts[kind] = (counts[kind] ?? 0) + 1;
    }
    const grown = Object.entries(counts).filter(
      ([kind, count]) => count > (bounds[version][kind as Kind] ?? 0),
    );
    expect(grown).toEqual([]);
  });

  it('are explained only where they differ', () => {
    const idle = explanations.flatMap((explanation) =>
      versions
        .filter((version) => isWithin(version, explanation))
        .flatMap((version) =>
          explanation.structures
            .filter((place) => !compareOnce(version).some((each) => each.place === place))
            .map((place) => `${version} ${place}`),
        ),
    );
    expect(idle).toEqual([]);
  });
});

/** OMQ_O57 of 2.8.1: whether headers and trailers of segment groups must stand around its observations. */
const structureBounds: Readonly<Partial<Record<Version, number>>> = { '2.8.1': 1 };

const compared = new Map<Version, readonly Disagreement[]>();

function compareOnce(version: Version): readonly Disagreement[] {
  let found = compared.get(version);
  if (found === undefined) {
    found = compare(openDefinitions().of(version), readOracle(version));
    compared.set(version, found);
  }
  return found;
}

/** Whether there is a reason, and nothing but the difference that it speaks of. */
function isExplained(version: Version, place: string): boolean {
  const explanation = explanations.find(
    (each) => isWithin(version, each) && each.structures.includes(place),
  );
  if (explanation?.choice === undefined) return explanation !== undefined;
  const ours = openDefinitions().of(version).findStructure(place);
  const theirs = readOracle(version).structures[place];
  return (
    ours !== undefined &&
    theirs !== undefined &&
    findDistinction(replaceChoices(ours, explanation.choice), theirs) === undefined
  );
}

/** The structure with its choices told as the sequences that others make of them. */
function replaceChoices(
  item: StructureItem,
  sequences: Readonly<Record<string, string>>,
): StructureItem {
  const sequence = item.kind === 'choice' ? sequences[item.name] : undefined;
  if (sequence === undefined) {
    return { ...item, items: item.items.map((each) => replaceChoices(each, sequences)) };
  }
  const items = sequence
    .split(' ')
    .map((name): StructureItem => ({ kind: 'segment', name, items: [], min: 1, max: 1 }));
  return { ...item, kind: 'group', items };
}
