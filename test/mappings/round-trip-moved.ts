import type { Hl7Message, Segment } from '../../core/hl7v2/message.ts';
import type { Provenance } from '../../core/mapping/mapper.ts';

/** Segments that belong to the nearest before them of these names, and notes to whatever they stand behind. */
const owners: Readonly<Record<string, RegExp>> = {
  PV1: /^PID/,
  OBX: /^(?:OBR|SPM|PV1|PID)/,
  NTE: /^(?!NTE|PRT)/,
};

/** Owners under which a message that is made has a place for them; of others the maps say where they go. */
const kept: ReadonlySet<string> = new Set(['PID PV1', 'OBR OBX', 'OBR NTE', 'OBX NTE']);

interface Ways {
  readonly message: Hl7Message;
  readonly made: Hl7Message;
  readonly there: readonly Provenance[];
  readonly back: readonly Provenance[];
}

/** Segments that came back under another owner than they had: `OBX[2] of OBR[1]: under SPM[1]`. */
export function findMoved({ message, made, there, back }: Ways): readonly string[] {
  const counterparts = findCounterparts(there, back);
  const before = findOwners(message.segments);
  const after = findOwners(made.segments);
  return [...before].flatMap(([child, owner]) => {
    const found = counterparts.get(child);
    const expected = counterparts.get(owner);
    const isKept = kept.has(`${owner.slice(0, 3)} ${child.slice(0, 3)}`);
    if (!isKept || found === undefined || expected === undefined) return [];
    const now = after.get(found);
    return now === expected ? [] : [`${child} of ${owner}: under ${now ?? 'nothing'}`];
  });
}

/** By segment, which one of the message that was made has most of what it said. */
function findCounterparts(
  there: readonly Provenance[],
  back: readonly Provenance[],
): ReadonlyMap<string, string> {
  const written = new Map<string, Set<string>>();
  for (const { source, target } of back) {
    written.set(source, (written.get(source) ?? new Set()).add(toSegment(target)));
  }
  const counts = new Map<string, Map<string, number>>();
  for (const { source, target } of there) {
    const segment = toSegment(source);
    const known = counts.get(segment) ?? new Map<string, number>();
    counts.set(segment, known);
    for (const found of written.get(target) ?? []) {
      if (found.slice(0, 3) === segment.slice(0, 3)) known.set(found, (known.get(found) ?? 0) + 1);
    }
  }
  return new Map(
    [...counts].flatMap(([segment, known]) => {
      const [best] = [...known].sort(([, a], [, b]) => b - a);
      return best === undefined ? [] : [[segment, best[0]] as const];
    }),
  );
}

const toSegment = (place: string): string => {
  const [, name = '', occurrence = '1'] = /^([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?/.exec(place) ?? [];
  return `${name}[${occurrence}]`;
};

function findOwners(segments: Iterable<Segment>): ReadonlyMap<string, string> {
  const seen: string[] = [];
  const found = new Map<string, string>();
  for (const { name, occurrence } of segments) {
    const segment = `${name}[${occurrence}]`;
    const owner = seen.findLast((one) => owners[name]?.test(one) === true);
    if (owner !== undefined) found.set(segment, owner);
    seen.push(segment);
  }
  return found;
}
