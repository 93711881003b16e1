import { isWithin, type Version, type VersionRange } from '../definitions/versions.ts';
import { checkObservation } from './observation.ts';
import type { Scan } from './scan.ts';

/**
 * A rule of the standard that its tables of fields cannot say, since it concerns several fields. Looked at
 * behind each segment of that name, when all its fields are known.
 */
interface SegmentRule extends VersionRange {
  readonly segment: string;
  /** Where the standard says it. */
  readonly source: string;
  readonly check: (scan: Scan, state: RuleState) => void;
}

/** What rules remember from one segment of a message to the next. */
export interface RuleState {
  readonly rules: RulesByName;
  /** Of the last ORC that no OBR followed yet: the entity identifiers of ORC-2 and ORC-3. */
  order: { readonly placer: string; readonly filler: string } | undefined;
}

const rules: readonly SegmentRule[] = [
  {
    segment: 'OBX',
    source: 'chapter 7, OBX-2, OBX-5, OBX-11',
    from: '2.1',
    check: checkObservation,
  },
  {
    segment: 'MSH',
    source: 'chapter 2, MSH-10: the sender sets it, so that it can be echoed',
    from: '2.1',
    check: (scan) => refuseNull(scan, 10),
  },
  {
    segment: 'MSA',
    source: 'chapter 2, MSA-2: the control id of the message that is answered',
    from: '2.1',
    check: (scan) => refuseNull(scan, 2),
  },
  {
    segment: 'EVN',
    source: 'chapter 3, EVN-1: the event of MSH-9, kept for backward compatibility',
    from: '2.3',
    check: checkEvent,
  },
  {
    segment: 'ORC',
    source: 'chapter 4, ORC-2 and ORC-3: where ORC and OBR both have them they are the same',
    from: '2.3',
    check: (scan, state) => {
      state.order = { placer: scan.firstOf(2), filler: scan.firstOf(3) };
    },
  },
  {
    segment: 'OBR',
    source: 'chapter 4, OBR-2 and OBR-3: where ORC and OBR both have them they are the same',
    from: '2.3',
    check: checkOrder,
  },
];

type RulesByName = ReadonlyMap<string, readonly SegmentRule[]>;

const byVersion = new Map<Version, RulesByName>();

function findRules(version: Version): RulesByName {
  let found = byVersion.get(version);
  if (found === undefined) {
    found = Map.groupBy(
      rules.filter((rule) => isWithin(version, rule)),
      ({ segment }) => segment,
    );
    byVersion.set(version, found);
  }
  return found;
}

/** The rules of a version for one message. */
export function startRules(version: Version): RuleState {
  return { rules: findRules(version), order: undefined };
}

/** Holds the segment that was just read against the rules of its name. */
export function checkRules(scan: Scan, state: RuleState): void {
  const found = state.rules.get(scan.segment.name);
  if (found !== undefined) for (const rule of found) rule.check(scan, state);
}

function refuseNull(scan: Scan, position: number): void {
  if (scan.rawOf(position) !== '""') return;
  scan.position = position;
  scan.report('value-invalid', 'error', 'Expected an identifier, found the HL7 null');
}

function checkEvent(scan: Scan): void {
  const event = scan.firstOf(1);
  const declared = scan.message.get('MSH-9.2') ?? '';
  if (event === '' || event === '""' || declared === '' || event === declared) return;
  scan.position = 1;
  const text = 'Expected the event that MSH-9.2 names, or nothing, found another';
  scan.report('values-contradictory', 'warning', `${text}; MSH-9.2 counts`);
}

function checkOrder(scan: Scan, state: RuleState): void {
  const { order } = state;
  state.order = undefined;
  if (order === undefined) return;
  for (const [position, wanted] of [
    [2, order.placer],
    [3, order.filler],
  ] as const) {
    const value = scan.firstOf(position);
    if (value === '' || wanted === '' || value === wanted) continue;
    if (value === '""' || wanted === '""') continue;
    scan.position = position;
    const text = `Expected the number that ORC-${position} in front of it has, found another`;
    scan.report('values-contradictory', 'error', text);
  }
}
