import type { RuntimeNode } from '../node-red.ts';
import type { Ticket, Transaction } from './transaction.ts';

/** What a node did within one turn: nothing else ran in between. */
interface Turn {
  readonly turn: object;
  /** The transactions whose messages it sent. */
  readonly sent: Set<Transaction>;
  /** The transaction that it failed. */
  failed: Transaction | undefined;
}

/** Nodes that keep messages, and fail all of them by failing one. */
const keepers: ReadonlySet<string> = new Set(['join', 'sort', 'batch']);

/**
 * Knows which messages a node has put into another one (join, batch): those that it completes in the very
 * turn in which it sends messages of other transactions only. They end as those do.
 */
export class Aggregates {
  readonly #turns = new WeakMap<RuntimeNode, Turn>();
  #turn: object | undefined;
  #undecided: (() => void)[] = [];

  onSent(node: RuntimeNode, transaction: Transaction): void {
    this.#turnOf(node).sent.add(transaction);
  }

  onFailed({ node, transaction }: Ticket): void {
    if (keepers.has(node.type)) this.#turnOf(node).failed = transaction;
  }

  /**
   * A node completed a message. `others`: it has more of them, so that it may yet send what it has put this
   * one into, or fail it, before this turn is over.
   */
  onCompleted(ticket: Ticket, others: boolean): void {
    const { node, transaction } = ticket;
    const seen = this.#turns.get(node);
    if (seen !== undefined && seen.turn === this.#turn) {
      if (seen.sent.has(transaction)) return;
      if (seen.sent.size > 0 || seen.failed !== undefined) {
        tie(transaction, seen);
        return;
      }
    }
    if (!others) return;
    const turn = this.#turnOf(node);
    transaction.hold();
    this.#undecided.push(() => {
      if (!turn.sent.has(transaction)) tie(transaction, turn);
      transaction.release();
    });
  }

  #turnOf(node: RuntimeNode): Turn {
    if (this.#turn === undefined) {
      this.#turn = {};
      queueMicrotask(() => {
        const decide = this.#undecided;
        this.#turn = undefined;
        if (decide.length === 0) return;
        this.#undecided = [];
        for (const each of decide) each();
      });
    }
    let turn = this.#turns.get(node);
    if (turn?.turn !== this.#turn) {
      turn = { turn: this.#turn, sent: new Set(), failed: undefined };
      this.#turns.set(node, turn);
    }
    return turn;
  }
}

function tie(transaction: Transaction, { sent, failed }: Turn): void {
  for (const aggregate of sent) aggregate.carry(transaction);
  failed?.carry(transaction);
}
