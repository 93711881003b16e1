import type { Envelope } from '../../core/envelope.ts';
import { findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Delivery } from '../../core/ports/broker.ts';
import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Clock } from '../clock.ts';
import { pause } from '../consuming.ts';
import { EitherSignal } from '../either-signal.ts';
import { toInstant } from '../ids.ts';
import { within } from '../spool/patience.ts';
import { isReference, readReference, type Reference } from './reference.ts';

interface Options {
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly maxHeldBytes: number;
  readonly handler: (delivery: Delivery) => void;
}

const againMs = 1_000;
/** A consumer that threw gets it again after this, as from its broker. */
const handlerFailureDelayMs = 5_000;

/**
 * Brings the bodies that one consumer's deliveries refer to, in the order of the deliveries: whoever comes behind one
 * that is being brought waits. While the ledger is away it is asked again; a body that it does not have makes a dead
 * letter.
 */
export class Claims {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  readonly #leaving = new EitherSignal(this.#stopping.signal);
  /** Resolves when everything before has been handed on. */
  #turn: Promise<void> | undefined;
  #heldBytes = 0;
  #waitingForRoom: (() => void)[] = [];
  /** Said once for as long as the ledger is away. */
  #isWarned = false;

  constructor(options: Options) {
    this.#options = options;
  }

  take(delivery: Delivery): void {
    if (this.#turn === undefined && !isReference(delivery.envelope)) {
      this.#options.handler(delivery);
      return;
    }
    const turn = (this.#turn ?? Promise.resolve())
      .then(() => this.#handOn(delivery))
      .catch((error: unknown) => {
        this.#options.logger.warn(
          { id: delivery.envelope.id, queue: delivery.queue, err: error },
          'A consumer threw, or a message without its body could not be settled; it is delivered again.',
        );
        delivery.retry(handlerFailureDelayMs).catch(() => undefined);
      })
      .finally(() => {
        if (this.#turn === turn) this.#turn = undefined;
      });
    this.#turn = turn;
  }

  /** Brings no more: what is still to be brought goes back. */
  stop(): void {
    this.#stopping.abort();
    this.#makeRoom(0);
  }

  async #handOn(delivery: Delivery): Promise<void> {
    if (!isReference(delivery.envelope)) {
      if (this.#stopping.signal.aborted) await delivery.retry(0, { countAttempt: false });
      else this.#options.handler(delivery);
      return;
    }
    const reference = readReference(delivery.envelope);
    if (reference === undefined) return this.#giveUp(delivery, 'a reference that can be read');
    const leaving = this.#leaving.or(delivery.voided);
    await this.#room(reference.bytes, leaving);
    const body = await this.#bring(reference, delivery, leaving);
    if (leaving.aborted) return giveBack(delivery);
    if (body === undefined) return this.#giveUp(delivery, 'its body in the ledger');
    this.#options.handler(this.#hold(delivery, reference, body));
  }

  /** Undefined where the ledger does not have it, or nobody waits any more. */
  async #bring(
    { id }: Reference,
    { queue }: Delivery,
    leaving: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const { ledger, patienceMs, logger } = this.#options;
    while (!leaving.aborted) {
      try {
        const found = await within(patienceMs, ledger.read(id));
        this.#isWarned = false;
        return found?.id === id ? found.body : undefined;
      } catch (error) {
        if (findFailure(error)?.errorClass === 'permanent') return undefined;
        const text =
          'The ledger is needed for the body of a large message; it waits with those behind it.';
        if (!this.#isWarned) logger.warn({ id, queue, err: error }, text);
        this.#isWarned = true;
      }
      await pause(againMs, leaving);
    }
    return undefined;
  }

  /** The delivery with its body, which counts as held until it is settled or taken back. */
  #hold(delivery: Delivery, reference: Reference, body: Uint8Array): Delivery {
    const { queue, redelivered, voided, ledgerState } = delivery;
    const envelope: Envelope = { ...delivery.envelope, contentType: reference.contentType, body };
    this.#heldBytes += body.length;
    let isHeld = true;
    const letGo = (): void => {
      if (isHeld) this.#makeRoom(body.length);
      isHeld = false;
      voided.removeEventListener('abort', letGo);
    };
    voided.addEventListener('abort', letGo, { once: true });
    return {
      queue,
      envelope,
      redelivered,
      voided,
      ...(ledgerState === undefined ? {} : { ledgerState }),
      accept: (outgoing, entries) => delivery.accept(outgoing, entries).finally(letGo),
      retry: (delayMs, options) => delivery.retry(delayMs, options).finally(letGo),
      deadLetter: (issues, outgoing, entries) =>
        delivery.deadLetter(issues, outgoing, entries).finally(letGo),
    };
  }

  async #room(bytes: number, leaving: AbortSignal): Promise<void> {
    const { maxHeldBytes } = this.#options;
    while (this.#heldBytes > 0 && this.#heldBytes + bytes > maxHeldBytes && !leaving.aborted) {
      await new Promise<void>((resolve) => {
        this.#waitingForRoom.push(resolve);
        leaving.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #makeRoom(bytes: number): void {
    this.#heldBytes -= bytes;
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }

  async #giveUp(delivery: Delivery, expected: string): Promise<void> {
    const { logger, clock } = this.#options;
    const { queue, envelope } = delivery;
    const issue: Issue = {
      code: 'body-missing',
      severity: 'error',
      message: `Expected ${expected}, where it was put before this message was queued, and found none: look whether the ledger was replaced or restored from an older copy, and have the message sent again.`,
    };
    logger.error({ id: envelope.id, queue }, issue.message);
    const entry: LedgerEntry = {
      type: 'event',
      event: {
        messageId: envelope.id,
        kind: 'dead-lettered',
        at: toInstant(clock()),
        queue,
        attempt: envelope.attempt,
        issues: [issue],
      },
    };
    await delivery.deadLetter([issue], [], [entry]);
  }
}

/** Where the broker has taken it back, that is done already. */
async function giveBack(delivery: Delivery): Promise<void> {
  await delivery.retry(0, { countAttempt: false }).catch(() => undefined);
}
