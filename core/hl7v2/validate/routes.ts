import { anySegment } from '../definitions/definitions.ts';
import type { Automaton, StructureNode } from './automaton.ts';

/** A way from one place to a later one, with the places of required segments that it passes over. */
export interface Route {
  readonly to: number;
  readonly missing: readonly number[];
  /** The names of those segments. */
  readonly names: readonly string[];
  /** What it takes to believe in it: 0 where nothing is missing. */
  readonly cost: number;
  /** The innermost group whose same repetition holds both places. */
  readonly common: StructureNode;
}

/** All ways on from a place. */
export interface Routes {
  /** By the name of the segment that is reached. */
  readonly byName: ReadonlyMap<string, readonly Route[]>;
  /** To places that take any segment. */
  readonly any: readonly Route[];
  /** To the end of the message; undefined where there is none. */
  readonly end: Omit<Route, 'to'> | undefined;
}

/** A segment that is missing, or one too many. The latter is a little less likely. */
export const missingCost = 1;
export const surplusCost = 1.05;
/** A group that nobody has to send, begun without its first segment by one that it does not need. */
const unlikely = 0.3;

const cache = new WeakMap<Automaton, Map<number, Routes>>();

/** The ways on from a place, found when a fault first stands there. */
export function findRoutes(automaton: Automaton, from: number): Routes {
  let known = cache.get(automaton);
  if (known === undefined) {
    known = new Map();
    cache.set(automaton, known);
  }
  let routes = known.get(from);
  if (routes === undefined) {
    routes = buildRoutes(automaton, from);
    known.set(from, routes);
  }
  return routes;
}

/** A place on the way, and how it was reached. */
interface Stop {
  readonly place: number;
  readonly missing: readonly number[];
  readonly common: StructureNode;
  readonly isAgain: boolean;
}

function buildRoutes(automaton: Automaton, from: number): Routes {
  const { places } = automaton;
  const byName = new Map<string, Route[]>();
  const any: Route[] = [];
  const stops = findStops(automaton, from);
  for (const stop of [...stops, ...findRepeats(automaton, stops)]) {
    const node = places[stop.place]?.node ?? automaton.root;
    const route = toRoute(automaton, stop);
    const { name } = node.item;
    const same = byName.get(name);
    if (name === anySegment) any.push(route);
    else if (same === undefined) byName.set(name, [route]);
    else same.push(route);
  }
  return { byName, any, end: findEnd(automaton, from, stops) };
}

/** Every place that can be reached, those first for which the fewest segments are missing. */
function findStops({ places, root }: Automaton, from: number): readonly Stop[] {
  const origin = places[from]?.node ?? root;
  const seen = new Set<number>();
  const stops: Stop[] = [];
  const reach = (stop: Stop): void => {
    if (seen.has(stop.place)) return;
    seen.add(stop.place);
    stops.push(stop);
  };
  for (const { to, common, isAgain } of places[from]?.edges ?? []) {
    reach({ place: to, missing: [], common, isAgain });
  }
  // Grows while it is walked: a breadth-first search.
  for (const { place, missing, common, isAgain } of stops) {
    const passed = [...missing, place];
    for (const edge of places[place]?.edges ?? []) {
      // What is missing does not repeat, and lies ahead (repetitions behind it: findRepeats).
      if (edge.isAgain) continue;
      const shared = isAgain ? common : findShared(origin, places[edge.to]?.node ?? root);
      reach({ place: edge.to, missing: passed, common: shared, isAgain });
    }
  }
  return stops;
}

/** Places where something begins again of which the end is missing. */
function findRepeats({ places }: Automaton, stops: readonly Stop[]): readonly Stop[] {
  const seen = new Set<number>();
  const repeats: Stop[] = [];
  for (const { place, missing, isAgain } of stops) {
    if (isAgain) continue;
    for (const edge of places[place]?.edges ?? []) {
      if (!edge.isAgain || seen.has(edge.to)) continue;
      seen.add(edge.to);
      const { to, common } = edge;
      repeats.push({ place: to, missing: [...missing, place], common, isAgain: false });
    }
  }
  return repeats;
}

function findShared(one: StructureNode, other: StructureNode): StructureNode {
  let left = one;
  let right = other;
  while (left !== right) {
    if (left.depth >= right.depth && left.parent !== undefined) left = left.parent;
    else if (right.parent !== undefined) right = right.parent;
    else break;
  }
  return left;
}

function toRoute(automaton: Automaton, { place, missing, common, isAgain }: Stop): Route {
  const node = automaton.places[place]?.node ?? automaton.root;
  const opened = missing.map((index) => automaton.places[index]?.node ?? automaton.root);
  const isForced = missing.length === 0 || !needsOptionalGroup(node, common, opened, isAgain);
  const extra = isForced ? 0 : node.item.min > 0 ? 0.02 : unlikely;
  const cost = missing.length * missingCost + extra;
  return { to: place, missing, names: opened.map(({ item }) => item.name), cost, common };
}

/** Whether the way begins a group that nobody has to send (or begins one again) without something of it. */
function needsOptionalGroup(
  node: StructureNode,
  common: StructureNode,
  missing: readonly StructureNode[],
  isAgain: boolean,
): boolean {
  if (isAgain) return true;
  for (let group = node.parent; group !== undefined && group !== common; group = group.parent) {
    if (group.item.min === 0 && missing.some((each) => isWithin(each, group))) return true;
  }
  return false;
}

function isWithin(node: StructureNode, group: StructureNode | undefined): boolean {
  for (let at: StructureNode | undefined = node; at !== undefined; at = at.parent) {
    if (at === group) return true;
  }
  return false;
}

function findEnd({ places, root }: Automaton, from: number, stops: readonly Stop[]): Routes['end'] {
  if (places[from]?.ends === true) return { missing: [], names: [], cost: 0, common: root };
  const stop = stops.find(({ place, isAgain }) => !isAgain && places[place]?.ends === true);
  if (stop === undefined) return undefined;
  const missing = [...stop.missing, stop.place];
  const names = missing.map((index) => places[index]?.node.item.name ?? '');
  return { missing, names, cost: missing.length * missingCost, common: root };
}
