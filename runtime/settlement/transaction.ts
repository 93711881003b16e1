import type { Issue } from '../../core/issue.ts';
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
  readonly previous: Ticket | undefined;
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
  /** Transactions whose end waits for this one: their messages were joined into this one's. */
  readonly dependants: Transaction[] = [];

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
    for (const dependant of this.dependants) {
      if (result.kind !== 'completed') {
        dependant.error ??= { error: new Error('The joined message failed.'), nodeId: undefined };
      }
      dependant.release();
    }
    this.#onSettled(result);
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
