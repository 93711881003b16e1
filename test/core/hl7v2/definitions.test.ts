import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { findRequiredFields, findResultStatus } from '../../../core/hl7v2/definitions/fields.ts';
import { isWithin, type Version } from '../../../core/hl7v2/definitions/versions.ts';
import { matchStructure } from '../../../core/hl7v2/match-structure.ts';
import { findStructure, type StructureItem } from '../../../core/hl7v2/structure.ts';
import { parse, sampleFolder } from './support.ts';

interface Automaton {
  readonly start: number;
  readonly finals: readonly number[];
  readonly transitions: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface Oracle {
  readonly tables: Readonly<Record<string, { readonly codes: readonly string[] }>>;
  readonly structures: Readonly<Record<string, Automaton>>;
  readonly fields: Readonly<
    Record<string, readonly { readonly seq: number; readonly required: boolean }[]>
  >;
}

const folder = join(sampleFolder, 'hl7-definitions');
const isHere = existsSync(folder);
if (!isHere) {
  console.warn(
    'SKIPPED: the definitions to compare ours with (../shared/data/hl7-definitions) are not here.',
  );
}

const versions: readonly Version[] = [
  '2.3',
  '2.3.1',
  '2.4',
  '2.5',
  '2.5.1',
  '2.6',
  '2.7',
  '2.7.1',
  '2.8',
  '2.8.1',
  '2.8.2',
];
const structures = ['ADT_A01', 'ORU_R01', 'ACK'];

function readOracle(version: Version): Oracle {
  return JSON.parse(
    gunzipSync(readFileSync(join(folder, `${version}.json.gz`))).toString(),
  ) as Oracle;
}

/** Segment orders that the automaton accepts: each transition is walked at least once, on the shortest way. */
function walk({ start, finals, transitions }: Automaton): readonly (readonly string[])[] {
  const ways = new Map<number, readonly string[]>([[start, []]]);
  for (const [state, way] of ways) {
    for (const [name, next] of Object.entries(transitions[state] ?? {})) {
      if (!ways.has(next)) ways.set(next, [...way, name]);
    }
  }
  const finish = (from: number): readonly string[] => {
    const ends = new Map<number, readonly string[]>([[from, []]]);
    for (const [state, way] of ends) {
      if (finals.includes(state)) return way;
      for (const [name, next] of Object.entries(transitions[state] ?? {})) {
        if (!ends.has(next)) ends.set(next, [...way, name]);
      }
    }
    return [];
  };
  return [...ways].flatMap(([state, way]) =>
    Object.entries(transitions[state] ?? {}).map(([name, next]) => [...way, name, ...finish(next)]),
  );
}

function isAccepted({ start, finals, transitions }: Automaton, names: readonly string[]): boolean {
  let state: number | undefined = start;
  for (const name of names) state = state === undefined ? undefined : transitions[state]?.[name];
  return state !== undefined && finals.includes(state);
}

/** Orders that our own structure allows: everything once, only what is required, and each optional item alone. */
function unfold(item: StructureItem, take: (item: StructureItem) => boolean): readonly string[] {
  if (item.segment !== undefined) return [item.segment];
  return item.items
    .filter((each) => !each.optional || take(each))
    .flatMap((each) => unfold(each, take));
}

function collect(item: StructureItem): readonly StructureItem[] {
  return [item, ...item.items.flatMap(collect)];
}

(isHere ? describe : describe.skip).each(versions)(
  'definitions of %s agree with the oracle',
  (version) => {
    const oracle = isHere ? readOracle(version) : { structures: {}, fields: {}, tables: {} };

    it.each(structures)('in the structure of %s', (name) => {
      const ours = findStructure(name, version)!;
      const theirs = oracle.structures[name];
      if (theirs === undefined) throw new Error('not in the oracle');
      const refused = walk(theirs).filter((names) => {
        const [, ...rest] = names;
        const text = ['MSH|^~\\&|', ...rest.map((each) => `${each}|`)].join('\r');
        return matchStructure(parse(text), ours).length > 0;
      });
      const paths = [
        unfold(ours, () => true),
        unfold(ours, () => false),
        ...collect(ours).map((one) =>
          unfold(ours, (each) => each === one || collect(each).includes(one)),
        ),
      ];
      const invented = paths.filter((names) => !isAccepted(theirs, names));
      const found = { refused: refused.map(String), invented: invented.map(String) };
      expect(found).toEqual({ refused: [], invented: [] });
    });

    it('in table 0085', () => {
      const ours = Array.from({ length: 26 }, (_, at) => String.fromCharCode(65 + at)).filter(
        (code) => {
          const from = findResultStatus(code);
          return from !== undefined && isWithin(version, { from });
        },
      );
      expect(ours).toEqual(oracle.tables['0085']?.codes.toSorted());
    });

    it('in required fields: nothing that the oracle calls optional', () => {
      const extra = Object.entries(oracle.fields).flatMap(([segment, fields]) =>
        findRequiredFields(segment, version)
          .filter((position) => fields.find((field) => field.seq === position)?.required !== true)
          .map((position) => `${segment}-${position}`),
      );
      expect(extra).toEqual([]);
    });
  },
);
