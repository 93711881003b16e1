import { anySegment, type StructureItem } from '../definitions/definitions.ts';

/** An item where it stands in its structure: the structure's own items may be shared between places. */
export interface StructureNode {
  readonly item: StructureItem;
  readonly parent: StructureNode | undefined;
  readonly depth: number;
  readonly children: StructureNode[];
  /** Whether how often it comes has to be counted, since order alone does not tell: a profile's rules. */
  readonly isCounted: boolean;
}

/** One place in a structure where a segment may stand. */
interface Place {
  readonly index: number;
  readonly node: StructureNode;
  readonly edges: Edge[];
  /** Whether the message may end behind it. */
  ends: boolean;
}

/** From one place to one that may follow it. */
interface Edge {
  readonly to: number;
  /** Whether something repeats in between. */
  readonly isAgain: boolean;
  /** The innermost group whose same repetition holds both places. */
  readonly common: StructureNode;
}

/**
 * A message structure as the automaton of its places (Glushkov): which segment may follow which. Several
 * places may be possible at once, where groups start alike; what is possible is followed all at the same
 * time, so no order of segments needs a second try.
 */
export interface Automaton {
  readonly root: StructureNode;
  /** `places[0]` stands in front of the first segment. */
  readonly places: readonly Place[];
  /** Names of all segments in it. */
  readonly names: ReadonlySet<string>;
  /** Whether some place takes any segment. */
  readonly isOpen: boolean;
  /** Whether there are rules beyond the order: usages, counts, a place's own definitions. */
  readonly hasRules: boolean;
  readonly start: State;
}

/** A set of places, with where each segment leads from it: found when it is first needed. */
export interface State {
  readonly places: readonly number[];
  readonly ends: boolean;
  readonly next: Map<string, State | undefined>;
}

/** The automaton of a structure; always the same for the same one. */
export function findAutomaton(structure: StructureItem): Automaton {
  let automaton = cache.get(structure);
  if (automaton === undefined) {
    automaton = buildAutomaton(structure);
    cache.set(structure, automaton);
  }
  return automaton;
}

const cache = new WeakMap<StructureItem, Automaton>();

/** What an item can begin and end with. */
interface Span {
  readonly isNullable: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
}

function buildAutomaton(structure: StructureItem): Automaton {
  const root = buildNode(structure, undefined);
  const places: Place[] = [{ index: 0, node: root, edges: [], ends: false }];
  const span = connect(root, places);
  addEdges(places, { from: [0], to: span.first, isAgain: false, common: root });
  for (const index of span.last) markEnd(places, index);
  const nodes = collect(root);
  const segments = nodes.filter(({ item }) => item.kind === 'segment');
  return {
    root,
    places,
    names: new Set(segments.map(({ item }) => item.name)),
    isOpen: segments.some(({ item }) => item.name === anySegment),
    hasRules: nodes.some((node) => node.isCounted || node.item.definition !== undefined),
    start: { places: [0], ends: span.isNullable, next: new Map() },
  };
}

function buildNode(item: StructureItem, parent: StructureNode | undefined): StructureNode {
  const { min, max, usage } = item;
  const isCounted = min > 1 || (max !== 1 && max !== Infinity) || usage === 'X' || usage === 'RE';
  const depth = parent === undefined ? 0 : parent.depth + 1;
  const node: StructureNode = { item, parent, depth, children: [], isCounted };
  for (const child of item.items) node.children.push(buildNode(child, node));
  return node;
}

function collect(node: StructureNode): readonly StructureNode[] {
  return [node, ...node.children.flatMap(collect)];
}

function connect(node: StructureNode, places: Place[]): Span {
  const { item, parent } = node;
  const inner = connectInner(node, places);
  if (item.max > 1 || (item.max !== 1 && item.usage === 'X')) {
    const common = parent ?? node;
    addEdges(places, { from: inner.last, to: inner.first, isAgain: true, common });
  }
  // What may not come at all is expected like something optional, and then reported by its name.
  return item.min === 0 || item.max === 0 ? { ...inner, isNullable: true } : inner;
}

function connectInner(node: StructureNode, places: Place[]): Span {
  if (node.item.kind === 'segment') {
    const index = places.length;
    places.push({ index, node, edges: [], ends: false });
    return { isNullable: false, first: [index], last: [index] };
  }
  const spans = node.children.map((child) => connect(child, places));
  if (node.item.kind === 'choice') {
    return {
      isNullable: spans.length === 0 || spans.some((span) => span.isNullable),
      first: spans.flatMap((span) => span.first),
      last: spans.flatMap((span) => span.last),
    };
  }
  return spans.reduce((before, span) => {
    addEdges(places, { from: before.last, to: span.first, isAgain: false, common: node });
    return {
      isNullable: before.isNullable && span.isNullable,
      first: before.isNullable ? [...before.first, ...span.first] : before.first,
      last: span.isNullable ? [...before.last, ...span.last] : span.last,
    };
  }, emptySpan);
}

const emptySpan: Span = { isNullable: true, first: [], last: [] };

/** Inner groups come first, and what they say about two places stands: the innermost repetition is meant. */
function addEdges(
  places: readonly Place[],
  {
    from,
    to,
    isAgain,
    common,
  }: {
    readonly from: readonly number[];
    readonly to: readonly number[];
    readonly isAgain: boolean;
    readonly common: StructureNode;
  },
): void {
  for (const source of from) {
    const edges = places[source]?.edges ?? [];
    const known = new Set(edges.map((edge) => edge.to));
    for (const target of to) {
      if (!known.has(target)) edges.push({ to: target, isAgain, common });
    }
  }
}

function markEnd(places: readonly Place[], index: number): void {
  const place = places[index];
  if (place !== undefined) place.ends = true;
}

/** Sets of places are few; a hostile order of segments must not make them many. */
const maxStates = 5_000;
const stateCounts = new WeakMap<Automaton, Map<string, State>>();

/** Where a segment leads from a state; undefined where it may not come. */
export function findNext(automaton: Automaton, state: State, name: string): State | undefined {
  const known = state.next.get(name);
  if (known !== undefined || state.next.has(name)) return known;
  const targets = new Set<number>();
  for (const index of state.places) {
    for (const { to } of automaton.places[index]?.edges ?? []) {
      const wanted = automaton.places[to]?.node.item.name ?? '';
      if (wanted === name || wanted === anySegment) targets.add(to);
    }
  }
  const next = targets.size === 0 ? undefined : findState(automaton, [...targets]);
  // Only names of the structure are asked for, or any name where a place takes any: those are not kept.
  if (automaton.names.has(name)) state.next.set(name, next);
  return next;
}

function findState(automaton: Automaton, targets: readonly number[]): State {
  const places = targets.toSorted((one, other) => one - other);
  const key = places.join();
  let states = stateCounts.get(automaton);
  if (states === undefined || states.size > maxStates) {
    states = new Map();
    stateCounts.set(automaton, states);
  }
  let state = states.get(key);
  if (state === undefined) {
    const ends = places.some((index) => automaton.places[index]?.ends === true);
    state = { places, ends, next: new Map() };
    states.set(key, state);
  }
  return state;
}
