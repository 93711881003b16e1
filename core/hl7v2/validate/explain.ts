import type { Automaton } from './automaton.ts';
import { findRoutes, missingCost, surplusCost, type Route } from './routes.ts';

/** What became of one segment: the way to its place, or undefined where it has none. */
interface Placement {
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
/** A segment of which the structure does not even have the name may stand where any may; elsewhere it is ignored. */
const foreignCost = 0.01;
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
    const cost = reading.cost + (end === undefined ? Infinity : price(end, reading.surplus));
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
  const next: Reading[] = [];
  for (const reading of readings) {
    const routes = findRoutes(automaton, reading.place);
    for (const route of routes.byName.get(name) ?? none) follow(next, reading, route);
    for (const route of routes.any) follow(next, reading, route);
  }
  // Nothing is surplus where the likeliest reading goes on without another fault.
  if (findBest(next) > findBest(readings)) {
    const isForeign = !automaton.names.has(name);
    for (const reading of readings) leaveOut(next, reading, { name, isForeign });
  }
  return prune(next);
}

const none: readonly Route[] = [];

function prune(readings: readonly Reading[]): readonly Reading[] {
  if (readings.length <= 1) return readings;
  const best = findBest(readings);
  const likely = readings.filter(({ cost }) => cost <= best + patience);
  if (likely.length <= maxReadings) return likely;
  return likely.sort((one, other) => one.cost - other.cost).slice(0, maxReadings);
}

function findBest(readings: readonly Reading[]): number {
  let best = Infinity;
  for (const { cost } of readings) if (cost < best) best = cost;
  return best;
}

/** Adds the reading that goes this way on, unless there is one as likely that stands at the same place. */
function follow(next: Reading[], before: Reading, route: Route): void {
  const { to: place, names } = route;
  const { missing, surplus } = before;
  const cost = before.cost + price(route, surplus);
  const at = next.findIndex((each) => each.place === place);
  if (at !== -1 && (next[at]?.cost ?? Infinity) <= cost) return;
  const isComplete = names.length === 0;
  const reading: Reading = {
    place,
    cost,
    before,
    route,
    missing: isComplete ? missing : [...missing, ...names].slice(-memory),
    surplus: isComplete ? surplus : surplus.filter((name) => !names.includes(name)),
  };
  if (at === -1) next.push(reading);
  else next[at] = reading;
}

/** Adds the reading for which the segment is surplus; of two as likely it is the one to keep, as the later fault. */
function leaveOut(
  next: Reading[],
  before: Reading,
  { name, isForeign }: { readonly name: string; readonly isForeign: boolean },
): void {
  const { place, missing, surplus } = before;
  const owed = missing.lastIndexOf(name);
  const cost = before.cost + (isForeign ? foreignCost : owed === -1 ? surplusCost : turnsUpCost);
  const at = next.findIndex((each) => each.place === place);
  if (at !== -1 && (next[at]?.cost ?? Infinity) < cost) return;
  const reading: Reading = {
    place,
    cost,
    before,
    route: undefined,
    missing: owed === -1 ? missing : missing.filter((_, index) => index !== owed),
    surplus: owed !== -1 || isForeign ? surplus : [...surplus, name].slice(-memory),
  };
  if (at === -1) next.push(reading);
  else next[at] = reading;
}

/** What a way costs: less where what is missing on it came before, at the wrong place, and is paid for. */
function price({ cost, names }: Pick<Route, 'cost' | 'names'>, surplus: readonly string[]): number {
  if (names.length === 0 || surplus.length === 0) return cost;
  const cameBefore = names.filter((name) => surplus.includes(name)).length;
  return cost - cameBefore * (missingCost - cameBeforeCost);
}

function toPlacements(last: Reading | undefined): readonly Placement[] {
  const placements: Placement[] = [];
  for (let at = last; at?.before !== undefined; at = at.before) {
    placements.push({ route: at.route, from: at.before.place });
  }
  return placements.reverse();
}
