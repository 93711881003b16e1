import type { HeldCode } from '../../core/held-code.ts';
import type { MessageOrder } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import type { Delivery, HeldLane } from '../../core/ports/broker.ts';
import { Lines, type Line } from './lines.ts';
import type { Parking } from './parking.ts';

/** How one message is worked on, from its turn to its settlement. Never rejects. */
export type Work = (delivery: Delivery, turn: Turn) => Promise<void>;

/** A message's turn among those of its key. */
export interface Turn {
  /** It waits to be tried again: those behind it may be set aside, so that they do not hold up everybody else. */
  block(): void;
  /**
   * It is given up, and those behind it wait until somebody decides: resolves when it is set aside as the first of
   * them; it is then to be accepted. False where that cannot be: it has no key and is not `held`, or its delivery is
   * void. What is held goes on when these codes are mapped.
   */
  stop(issues: readonly Issue[], held?: readonly HeldCode[]): Promise<boolean>;
}

/** A message that takes longer than this blocks those behind it. */
const defaultSlowMs = 5_000;

/**
 * Keeps the messages of a key in their order, while those of other keys run beside them. Deliveries are to be handed
 * over in the order in which the broker gives them; it gives a lane of an ordered queue to one consumer at a time, and
 * to {@link open} before its first message.
 *
 * Behind a message that fails or is slow, the others of its key would fill the consumer's window. When half of it, or of
 * what their lane gives, is taken, they are set aside in the ledger ({@link Parking}), and taken up from there, in their
 * order, later. Where the whole queue is in order nobody else could go on, and they wait in the window.
 */
export class KeyOrder {
  readonly order: MessageOrder;
  readonly #window: number;
  readonly #work: Work;
  readonly #parking: Parking;
  readonly #slowMs: number;
  readonly #lines = new Lines();
  /** Those of which the one that is worked on fails, or takes long. */
  readonly #blocked = new Set<Line>();
  /** Decided about while a lane is being opened, which may have been told of the time before. */
  readonly #released = new Set<string>();
  #opening = 0;
  readonly #underWay = new Set<Promise<void>>();
  /** They have a place in the ledger already, before those behind them. */
  readonly #setAside = new WeakSet<Delivery>();
  /** Handed over or taken up, and not settled. */
  #held = 0;
  #stopping = false;

  constructor(options: {
    readonly order: MessageOrder;
    /** That of the consumer. */
    readonly window: number;
    readonly parking: Parking;
    readonly work: Work;
    /** After so long a message blocks those behind it by itself; default 5 s, infinite: never. */
    readonly slowMs?: number;
  }) {
    this.order = options.order;
    this.#window = options.window;
    this.#work = options.work;
    this.#parking = options.parking;
    this.#slowMs = options.slowMs ?? defaultSlowMs;
  }

  /**
   * What was set aside of a lane before goes on, but for what waits for a decision. Before the first `take` of it. When
   * it is lost, that is left to whoever has it next; nothing is where {@link everything} has been opened.
   */
  async open(lane: HeldLane): Promise<void> {
    if (this.order === 'none') return;
    if (this.#lines.hasEverything) {
      this.#add(lane);
      return;
    }
    this.#opening += 1;
    const found = await this.#parking.listAtStart();
    const released = new Set(this.#released);
    this.#opening -= 1;
    if (this.#opening === 0) this.#released.clear();
    if (lane.lost.aborted) return;
    this.#add(lane);
    for (const { key, isStopped } of found) {
      const name = this.#nameOf(key);
      if (!lane.has(name)) continue;
      const line = this.#lines.of(name);
      line.parked = true;
      line.stopped = false;
      if (isStopped && !released.has(name)) this.#lines.stop(line);
    }
    for (const [key, line] of this.#lines) {
      if (line.lane === lane) this.#follow(this.#advance(key, line));
    }
  }

  /**
   * Of keys that the ledger, asked at that time, has as set aside and not stopped: a decision that nobody has told here is
   * followed.
   */
  follow(keys: readonly string[], askedAt: number): void {
    for (const key of keys)
      if (this.#lines.isUnheard(this.#nameOf(key), askedAt)) this.release(key);
  }

  /** Whether messages of this key come here. */
  has(key: string): boolean {
    return this.#lines.laneOf(this.#nameOf(key)) !== undefined;
  }

  /** False while one of the lane is worked on, or about to be, that was set aside: the broker knows of none of these. */
  mayLetGo(lane: HeldLane): boolean {
    return this.#lines.mayLetGo(lane);
  }

  take(delivery: Delivery): void {
    this.#held += 1;
    if (this.#stopping) {
      this.#follow(this.#giveBack(delivery));
      return;
    }
    const key = this.#keyOf(delivery);
    if (key === undefined) {
      this.#follow(
        this.#work(delivery, this.#toTurnAlone(delivery)).finally(() => (this.#held -= 1)),
      );
      return;
    }
    const line = this.#lines.of(key);
    line.waiting.push(delivery);
    if (line.parked) this.#park(key, line);
    this.#follow(this.#advance(key, line));
    this.#makeRoom();
  }

  /** Somebody has decided: those of the key go on. In a queue that is in order as a whole, all of them. */
  release(key: string): void {
    const name = this.#nameOf(key);
    if (this.#opening > 0) this.#released.add(name);
    if (!this.has(key)) return;
    this.#follow(this.#advance(name, this.#lines.resume(name)));
  }

  /**
   * Those that have not had their turn go back; resolves when the others are through. Whoever is being set aside
   * waits for the ledger until the parking is stopped too.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const [, line] of this.#lines) {
      for (const delivery of line.waiting.splice(0)) this.#follow(this.#giveBack(delivery));
    }
    await this.idle();
  }

  /** Resolves when everything that was handed over has been dealt with. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Of one that has nobody behind it: without a key it is set aside under its own id. */
  #toTurnAlone(delivery: Delivery): Turn {
    return {
      block: () => undefined,
      stop: async (issues, held = []) =>
        held.length > 0 && (await this.#parking.park([delivery], issues, held)),
    };
  }

  #add(lane: HeldLane): void {
    this.#lines.add(lane, (dropped) => (this.#held -= dropped));
  }

  /** Under which its line is. */
  #nameOf(key: string): string {
    return this.order === 'queue' ? '' : key;
  }

  #keyOf({ envelope }: Delivery): string | undefined {
    if (this.order === 'none') return undefined;
    return this.order === 'queue' ? '' : envelope.key;
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  /** Works on those of the key, one after the other, until none is left that may go on. */
  async #advance(key: string, line: Line): Promise<void> {
    if (line.advancing) return;
    line.advancing = true;
    // Nothing may be awaited between finding that there is none and ceasing: who comes then would wait for ever.
    while (!this.#stopping) {
      if (line.parked) {
        if (line.stopped) break;
        const delivery = await this.#takeUp(key, line);
        if (delivery === undefined) continue;
        this.#setAside.add(delivery);
        await this.#workOn(key, line, delivery);
      } else {
        const delivery = line.waiting.shift();
        if (delivery === undefined) break;
        await this.#workOn(key, line, delivery);
      }
    }
    line.advancing = false;
    this.#lines.dropIfEmpty(key, line);
  }

  /** The first that is set aside. */
  async #takeUp(key: string, line: Line): Promise<Delivery | undefined> {
    // Whoever is being set aside now is found when that is durable.
    const { parking } = line;
    await parking;
    const lost = this.#lines.lostOf(line);
    if (lost === undefined) {
      line.parked = false;
      return undefined;
    }
    const delivery = await this.#parking.next(this.order === 'queue' ? undefined : key, lost);
    if (this.#stopping || lost.aborted) return undefined;
    if (delivery !== undefined) this.#held += 1;
    // Somebody else may have been set aside while the ledger looked.
    else if (line.parking === parking) line.parked = false;
    return delivery;
  }

  async #workOn(key: string, line: Line, delivery: Delivery): Promise<void> {
    // Taken back by the broker: it comes again, and so do those behind it.
    if (delivery.voided.aborted) {
      this.#held -= 1;
      return;
    }
    line.head = delivery;
    const block = (): void => {
      this.#blocked.add(line);
      this.#makeRoom();
    };
    const slow = Number.isFinite(this.#slowMs) ? setTimeout(block, this.#slowMs) : undefined;
    const stop: Turn['stop'] = async (issues, held) => {
      if (!(await this.#parking.park([delivery], issues, held))) return false;
      this.#setAside.add(delivery);
      // Where the lane is lost by now, whoever has it next finds it.
      if (line.lane !== undefined) {
        this.#lines.stop(line);
        this.#park(key, line);
      }
      return true;
    };
    await this.#work(delivery, { block, stop });
    clearTimeout(slow);
    this.#blocked.delete(line);
    line.head = undefined;
    this.#held -= 1;
  }

  /** Half of the window, and of what each lane gives, is for those who can go on. */
  #makeRoom(): void {
    if (this.order === 'queue') return;
    // Many lines may be there of which nobody comes: of keys that wait for a decision.
    if (!this.#blocked.values().some(({ waiting }) => waiting.length > 0)) return;
    const byLane = this.#lines.countByLane();
    const isFull = this.#held > this.#window / 2;
    for (const [key, line] of this.#lines) {
      if (!this.#blocked.has(line) || line.waiting.length === 0) continue;
      const { window = Infinity } = line.lane ?? {};
      if (!isFull && (byLane.get(line.lane) ?? 0) <= window / 2) continue;
      line.parked = true;
      this.#park(key, line);
    }
  }

  /** Sets aside those who wait, in their order and behind whoever is worked on. */
  #park(key: string, line: Line): void {
    if (this.order === 'queue' || line.waiting.length === 0) return;
    const { head } = line;
    for (const delivery of line.waiting.splice(0)) {
      line.parking = line.parking.then(() => this.#parkOne(delivery, head));
    }
    this.#follow(line.parking.then(() => this.#advance(key, line)));
  }

  async #parkOne(delivery: Delivery, head: Delivery | undefined): Promise<void> {
    const first = head === undefined || this.#setAside.has(head) ? [] : [head];
    const stored = await this.#parking.park([...first, delivery], []);
    if (stored && head !== undefined) this.#setAside.add(head);
    if (!stored) {
      await this.#giveBack(delivery);
      return;
    }
    // Where that fails it comes again, and is found to be set aside.
    await delivery.accept().catch(() => undefined);
    this.#held -= 1;
  }

  async #giveBack(delivery: Delivery): Promise<void> {
    await giveBack(delivery);
    this.#held -= 1;
  }
}

/** To its place in the queue, as if it had not been tried. */
export async function giveBack(delivery: Delivery): Promise<void> {
  // Where the broker is away it has taken it back already.
  await delivery.retry(0, { countAttempt: false }).catch(() => undefined);
}
