import type { StructureItem } from '../../../core/hl7v2/definitions/definitions.ts';

/** A deterministic automaton over names of segments. */
export interface Automaton {
  readonly start: number;
  readonly finals: readonly number[];
  readonly transitions: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The shortest sequence of segments that one of two structures allows and the other does not. */
export interface Distinction {
  readonly segments: readonly string[];
  readonly allowedBy: 'ours' | 'theirs';
}

/** Compares the languages of a structure and an automaton; undefined where they are the same. */
export function findDistinction(
  structure: StructureItem,
  automaton: Automaton,
): Distinction | undefined {
  const network = new Network(structure);
  const finals = new Set(automaton.finals);
  interface Pair {
    readonly ours: readonly number[];
    readonly theirs: number | undefined;
    readonly segments: readonly string[];
  }
  const first: Pair = { ours: network.start, theirs: automaton.start, segments: [] };
  const seen = new Set<string>();
  const queue = [first];
  for (const { ours, theirs, segments } of queue) {
    const isOurs = network.isFinal(ours);
    if (isOurs !== (theirs !== undefined && finals.has(theirs))) {
      return { segments, allowedBy: isOurs ? 'ours' : 'theirs' };
    }
    const next = theirs === undefined ? {} : (automaton.transitions[theirs] ?? {});
    for (const name of new Set([...network.names(ours), ...Object.keys(next)])) {
      const pair: Pair = {
        ours: network.follow(ours, name),
        theirs: next[name],
        segments: [...segments, name],
      };
      const key = `${pair.ours.join()} ${pair.theirs ?? ''}`;
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(pair);
    }
  }
  return undefined;
}

interface State {
  /** Reached with nothing read. */
  readonly free: number[];
  name?: string;
  next?: number;
}

/** The automaton of a structure, not deterministic: a set of states is where a sequence may have led. */
class Network {
  private readonly states: State[] = [];
  private readonly end: number;
  readonly start: readonly number[];

  constructor(structure: StructureItem) {
    const start = this.add();
    this.end = this.connect(structure, start);
    this.start = this.close([start]);
  }

  isFinal(states: readonly number[]): boolean {
    return states.includes(this.end);
  }

  names(states: readonly number[]): readonly string[] {
    return states.flatMap((state) => this.states[state]?.name ?? []);
  }

  follow(states: readonly number[], name: string): readonly number[] {
    const next = states.flatMap((state) => {
      const found = this.states[state];
      return found?.name === name && found.next !== undefined ? [found.next] : [];
    });
    return this.close(next);
  }

  private add(): number {
    return this.states.push({ free: [] }) - 1;
  }

  private free(from: number, to: number): void {
    this.states[from]?.free.push(to);
  }

  /** Puts the item, as often as it may come, behind a state; gives the state behind the item. */
  private connect(item: StructureItem, from: number): number {
    const before = this.add();
    this.free(from, before);
    const after = this.add();
    this.free(this.connectOnce(item, before), after);
    if (item.min === 0) this.free(before, after);
    if (item.max === Infinity) this.free(after, before);
    return after;
  }

  private connectOnce(item: StructureItem, from: number): number {
    const after = this.add();
    if (item.kind === 'segment') {
      const read = this.add();
      this.free(from, read);
      this.states[read] = { free: [], name: item.name, next: after };
      return after;
    }
    if (item.kind === 'choice') {
      for (const each of item.items) this.free(this.connect(each, from), after);
      return after;
    }
    const last = item.items.reduce((state, each) => this.connect(each, state), from);
    this.free(last, after);
    return after;
  }

  private close(states: readonly number[]): readonly number[] {
    const reached = new Set(states);
    for (const state of reached)
      for (const next of this.states[state]?.free ?? []) reached.add(next);
    return [...reached].sort((a, b) => a - b);
  }
}
