import type { Issue } from '../../core/issue.ts';
import type { Trail, Visit } from '../changes/trail.ts';
import type { RuntimeNode } from '../node-red.ts';

/** How a message's way through its flow ended. */
export type FlowResult =
  | { readonly kind: 'completed' }
  /** A node failed and no Catch node took it. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly nodeId: string | undefined }
  | { readonly kind: 'rejected'; readonly issues: readonly Issue[] }
  /** Some node never finished: `openNodes` are the ids of those that hold it. */
  | { readonly kind: 'timed-out'; readonly openNodes: readonly string[] }
  /** The flows were stopped under it. */
  | { readonly kind: 'aborted' };

/** One node working on one message. */
export interface Ticket {
  readonly transaction: Transaction;
  readonly node: RuntimeNode;
  readonly message: object;
  /** Whose handler was running when this one was called; given back when this one returns. */
  previous: Ticket | undefined;
  /** The payload that came in, and those that left; absent where nobody keeps what nodes change. */
  readonly visit: Visit | undefined;
  done: boolean;
  graceTimer: NodeJS.Timeout | undefined;
}

/**
 * A message on its way through a flow: counts what is open (messages in transit, nodes at work, and the
 * source's own hold), and reports once when nothing is.
 */
export class Transaction {
  readonly id: string;
  readonly tickets = new Set<Ticket>();
  settled = false;
  aborted = false;
  error: { readonly error: unknown; readonly nodeId: string | undefined } | undefined;
  rejection: Issue[] | undefined;
  /** What its nodes make of the payload; absent: nobody keeps that. */
  trail: Trail | undefined;
  /** Those whose messages were joined into this one's: they end as this one does. */
  readonly #carried: Transaction[] = [];
  #open = 1;
  #checking = false;
  #timedOut = false;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onSettled: (result: FlowResult) => void;

  constructor(id: string, timeoutMs: number, onSettled: (result: FlowResult) => void) {
    this.id = id;
    this.#onSettled = onSettled;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#settle();
    }, timeoutMs);
  }

  /** `other` waits for the end of this one, and shares it. */
  carry(other: Transaction): void {
    if (other === this || this.settled) return;
    other.hold();
    this.#carried.push(other);
  }

  hold(): void {
    this.#open += 1;
  }

  /** Catch, Complete and link nodes are called right after the last node is done: look again in a microtask. */
  release(): void {
    this.#open -= 1;
    if (this.#open > 0 || this.#checking) return;
    this.#checking = true;
    queueMicrotask(() => {
      this.#checking = false;
      if (this.#open <= 0) this.#settle();
    });
  }

  #settle(): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.#timer);
    const result = this.#result();
    for (const each of this.#carried) {
      each.#shareEnd(result);
      each.release();
    }
    this.#onSettled(result);
  }

  #shareEnd(result: FlowResult): void {
    switch (result.kind) {
      case 'completed':
        break;
      case 'aborted':
        this.aborted = true;
        break;
      case 'rejected':
        (this.rejection ??= []).push(...result.issues);
        break;
      case 'failed':
        this.error ??= { error: result.error, nodeId: result.nodeId };
        break;
      case 'timed-out': {
        const error = new Error(
          'The message that this one was joined into did not finish in time.',
        );
        this.error ??= { error, nodeId: result.openNodes[0] };
      }
    }
  }

  #result(): FlowResult {
    if (this.rejection !== undefined) return { kind: 'rejected', issues: this.rejection };
    if (this.error !== undefined) return { kind: 'failed', ...this.error };
    if (this.aborted) return { kind: 'aborted' };
    if (this.#timedOut) {
      return { kind: 'timed-out', openNodes: [...this.tickets].map((ticket) => ticket.node.id) };
    }
    return { kind: 'completed' };
  }
}
