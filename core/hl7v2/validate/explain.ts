import type { Automaton } from './automaton.ts';
import { findRoutes, missingCost, surplusCost, type Route } from './routes.ts';

/** What became of one segment: the way to its place, or undefined where it has none. */
export interface Placement {
  readonly route: Route | undefined;
  /** Where the message stood in front of it. */
  readonly from: number;
}

/** The likeliest reading of a message's segments: where each stands, and what is missing. */
export interface Explanation {
  /** One for each segment. */
  readonly placements: readonly Placement[];
  /** Places of segments that are missing at the end of the message. */
  readonly missingAtEnd: readonly number[];
}

/** A reading of the segments so far. */
interface Reading {
  readonly place: number;
  readonly cost: number;
  readonly before: Reading | undefined;
  readonly route: Route | undefined;
  /** Names of segments that it takes for missing and for surplus: together they are one that is misplaced. */
  readonly missing: readonly string[];
  readonly surplus: readonly string[];
}

/** Readings that are this much less likely than the best are given up; never more than so many at a time. */
const patience = 3;
const maxReadings = 16;
/** A segment that turns up late, or too early, is one fault and not two. */
const turnsUpCost = 0.05;
const cameBeforeCost = 0.1;
/** How many faults back the two halves of a misplaced segment are brought together. */
const memory = 8;

/**
 * Finds where each segment stands with the fewest faults: some segments missing, others surplus. Follows
 * the likeliest readings side by side, so that it is linear in the number of segments.
 */
export function explain(automaton: Automaton, names: readonly string[]): Explanation {
  let readings: readonly Reading[] = [
    { place: 0, cost: 0, before: undefined, route: undefined, missing: [], surplus: [] },
  ];
  for (const name of names) readings = advance(automaton, readings, name);
  let best: Reading | undefined;
  let bestCost = Infinity;
  for (const reading of readings) {
    const end = findRoutes(automaton, reading.place).end;
    const cost =
      reading.cost + (end === undefined ? Infinity : priceMissing(automaton, reading, end));
    if (best === undefined || cost < bestCost) {
      best = reading;
      bestCost = cost;
    }
  }
  const missingAtEnd = best === undefined ? [] : findRoutes(automaton, best.place).end?.missing;
  return { placements: toPlacements(best), missingAtEnd: missingAtEnd ?? [] };
}

function advance(
  automaton: Automaton,
  readings: readonly Reading[],
  name: string,
): readonly Reading[] {
  const next = new Map<number, Reading>();
  const keep = (reading: Reading): void => {
    const other = next.get(reading.place);
    if (other === undefined || reading.cost < other.cost) next.set(reading.place, reading);
  };
  for (const reading of readings) {
    const routes = findRoutes(automaton, reading.place);
    for (const route of routes.byName.get(name) ?? []) keep(follow(automaton, reading, route));
    for (const route of routes.any) keep(follow(automaton, reading, route));
  }
  // Nothing is surplus where the likeliest reading goes on without another fault.
  const best = findBest(readings);
  if (findBest([...next.values()]) > best) {
    for (const reading of readings) {
      const leftOut = leaveOut(reading, name);
      const other = next.get(leftOut.place);
      // Of two that are as likely the one that left out the later segment.
      if (other === undefined || leftOut.cost <= other.cost) next.set(leftOut.place, leftOut);
    }
  }
  return prune([...next.values()]);
}

function prune(readings: readonly Reading[]): readonly Reading[] {
  if (readings.length <= 1) return readings;
  const best = findBest(readings);
  const likely = readings.filter(({ cost }) => cost <= best + patience);
  if (likely.length <= maxReadings) return likely;
  return likely.toSorted((one, other) => one.cost - other.cost).slice(0, maxReadings);
}

function findBest(readings: readonly Reading[]): number {
  return readings.reduce((best, { cost }) => Math.min(best, cost), Infinity);
}

function follow(automaton: Automaton, reading: Reading, route: Route): Reading {
  const { missing, surplus } = reading;
  if (route.missing.length === 0) {
    return { place: route.to, cost: reading.cost, before: reading, route, missing, surplus };
  }
  const names = route.missing.map((place) => automaton.places[place]?.node.item.name ?? '');
  return {
    place: route.to,
    cost: reading.cost + route.cost - discount(names, surplus),
    before: reading,
    route,
    missing: [...missing, ...names].slice(-memory),
    surplus: surplus.filter((name) => !names.includes(name)),
  };
}

function leaveOut(reading: Reading, name: string): Reading {
  const { place, missing, surplus } = reading;
  const at = missing.lastIndexOf(name);
  const price = at === -1 ? surplusCost : turnsUpCost;
  return {
    place,
    cost: reading.cost + price,
    before: reading,
    route: undefined,
    missing: at === -1 ? missing : missing.filter((_, index) => index !== at),
    surplus: at === -1 ? [...surplus, name].slice(-memory) : surplus,
  };
}

function priceMissing(
  automaton: Automaton,
  reading: Reading,
  { missing, cost }: { readonly missing: readonly number[]; readonly cost: number },
): number {
  const names = missing.map((place) => automaton.places[place]?.node.item.name ?? '');
  return cost - discount(names, reading.surplus);
}

/** What is missing and came before, at the wrong place, has been paid for. */
function discount(missing: readonly string[], surplus: readonly string[]): number {
  const cameBefore = missing.filter((name) => surplus.includes(name)).length;
  return cameBefore * (missingCost - cameBeforeCost);
}

function toPlacements(last: Reading | undefined): readonly Placement[] {
  const placements: Placement[] = [];
  for (let at = last; at?.before !== undefined; at = at.before) {
    placements.push({ route: at.route, from: at.before.place });
  }
  return placements.reverse();
}
