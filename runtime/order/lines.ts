import type { Delivery, HeldLane } from '../../core/ports/broker.ts';

/** Those of one key. */
export interface Line {
  /** Whose messages they are; undefined when that is lost, and nobody comes any more. */
  lane: HeldLane | undefined;
  /** Who is worked on now. */
  head: Delivery | undefined;
  /** Who waits behind it. */
  waiting: Delivery[];
  /** Some are set aside: whoever comes goes behind them. */
  parked: boolean;
  /** The first of those set aside waits for a decision. */
  stopped: boolean;
  /** Since when, on the monotonic clock. */
  stoppedAt: number;
  /** The settings aside under way, one after the other. */
  parking: Promise<void>;
  advancing: boolean;
}

/** Where nobody else takes from the queue, whatever becomes of the broker's lanes. */
export const everything: HeldLane = {
  window: Infinity,
  has: () => true,
  lost: new AbortController().signal,
};

/** The lines of a queue by their names, which of them stand still, and in which of the broker's lanes they are. */
export class Lines {
  readonly #lines = new Map<string, Line>();
  readonly #lanes = new Set<HeldLane>();

  [Symbol.iterator](): IterableIterator<[string, Line]> {
    return this.#lines.entries();
  }

  find(name: string): Line | undefined {
    return this.#lines.get(name);
  }

  /** A new one where there is none. */
  of(name: string): Line {
    const line = this.#lines.get(name) ?? {
      lane: this.laneOf(name),
      head: undefined,
      waiting: [],
      parked: false,
      stopped: false,
      stoppedAt: 0,
      parking: Promise.resolve(),
      advancing: false,
    };
    this.#lines.set(name, line);
    return line;
  }

  /** Nobody of it is left here, and none is set aside. */
  dropIfEmpty(name: string, line: Line): void {
    if (!line.parked && line.waiting.length === 0) this.#lines.delete(name);
  }

  get hasEverything(): boolean {
    return this.#lanes.has(everything);
  }

  laneOf(name: string): HeldLane | undefined {
    return [...this.#lanes].findLast((lane) => lane.has(name));
  }

  /** When what is taken up of a line is void; undefined where it is somebody else's. */
  lostOf(line: Line): AbortSignal | undefined {
    return (this.hasEverything ? everything : line.lane)?.lost;
  }

  /** `onDropped` hears of how many are somebody else's when it is lost. */
  add(lane: HeldLane, onDropped: (count: number) => void): void {
    this.#lanes.add(lane);
    for (const [name, line] of this.#lines) if (lane.has(name)) line.lane = lane;
    lane.lost.addEventListener('abort', () => onDropped(this.#lose(lane)), { once: true });
  }

  /** What it has in hand ends as it ends, and counts for nothing; what is set aside is somebody else's. */
  #lose(lane: HeldLane): number {
    let dropped = 0;
    this.#lanes.delete(lane);
    for (const [name, line] of this.#lines) {
      if (line.lane !== lane) continue;
      line.lane = this.laneOf(name);
      if (line.lane !== undefined) continue;
      dropped += line.waiting.splice(0).length;
      line.parked = false;
      line.stopped = false;
      if (!line.advancing) this.#lines.delete(name);
    }
    return dropped;
  }

  /** Some of it are set aside, and the first of them waits for a decision. */
  stop(line: Line): void {
    line.parked = true;
    line.stopped = true;
    line.stoppedAt = performance.now();
  }

  /** Somebody has decided: the line goes on. */
  resume(name: string): Line {
    const known = this.#lines.get(name);
    const line = known ?? this.of(name);
    // Nobody waits here behind one without a key: only the ledger knows of it.
    if (known === undefined) line.parked = true;
    line.stopped = false;
    return line;
  }

  /**
   * Whether nobody here has heard that a line goes on which the ledger, asked at that time, says does: it has stood still
   * since before, or is not known here at all. It may have come to stand still again meanwhile.
   */
  isUnheard(name: string, askedAt: number): boolean {
    const line = this.#lines.get(name);
    if (line === undefined) return this.laneOf(name) !== undefined;
    return line.stopped && line.stoppedAt < askedAt;
  }

  /** False while one of the lane is worked on, or about to be, that was set aside: the broker knows of none of these. */
  mayLetGo(lane: HeldLane): boolean {
    return !this.#lines.values().some((line) => line.lane === lane && line.parked && !line.stopped);
  }

  /** How many of each lane are in hands. */
  countByLane(): ReadonlyMap<HeldLane | undefined, number> {
    const byLane = new Map<HeldLane | undefined, number>();
    for (const { lane, head, waiting } of this.#lines.values()) {
      const count = waiting.length + (head === undefined ? 0 : 1);
      byLane.set(lane, (byLane.get(lane) ?? 0) + count);
    }
    return byLane;
  }
}
