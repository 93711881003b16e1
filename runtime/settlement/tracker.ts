import { AsyncLocalStorage } from 'node:async_hooks';
import type { LogEvent, NodeRed, RuntimeNode } from '../node-red.ts';
import { logLevel } from '../node-red.ts';
import { Aggregates } from './aggregates.ts';
import {
  transactionKey,
  type CompleteEvent,
  type ReceiveEvent,
  type SendEvent,
  type Tracked,
  type TrackerObserver,
} from './hook-events.ts';
import { InTransit } from './in-transit.ts';
import { followFailed, followReceived, followSent } from './payload-hooks.ts';
import { isThrownByHandler } from './thrown.ts';
import { Transaction, type FlowResult, type Ticket } from './transaction.ts';

/** What is known about a node while messages are on their way to it or in it. */
interface NodeLedger {
  readonly inTransit: InTransit;
  readonly tickets: WeakMap<object, Ticket[]>;
  /** How many messages it is working on. */
  open: number;
}

/** Nodes without `done` that have sent whatever they send when their handler returns. */
const synchronous = /^(?:rbe|subflow:.*|subflow-status)$/;

/** An error without `done` leaves a moment for a `done` that is on its way. */
const graceMs = 50;

/** Nodes that call `done` for every message, also after they complained about it. */
const alwaysDone: ReadonlySet<string> = new Set(['function', 'switch']);

/** The node whose complaint is the end of its message: a call that got no answer. */
const doneByComplaint = 'link call';

/**
 * Knows when a message's whole flow has completed, whatever nodes it is wired from, through Node-RED's
 * public message hooks and AsyncLocalStorage: a message sent inside a handler belongs to the message that
 * the handler got, also when it is a new object.
 *
 * Hooks do not fire for a synchronous throw, `node.error` without `done`, and nodes that call `receive`
 * (Catch, Complete, link): those are covered by the log and by the order in which the hooks fire.
 * The contract test runs it over every flow shape on the pinned Node-RED.
 */
export class SettlementTracker {
  readonly #context = new AsyncLocalStorage<Ticket | undefined>();
  readonly #transactions = new Map<string, Transaction>();
  readonly #nodes = new WeakMap<RuntimeNode, NodeLedger>();
  readonly #observer: TrackerObserver | undefined;
  readonly #neverDone = new WeakSet<RuntimeNode>();
  readonly #aggregates = new Aggregates();
  #sequence = 0;
  #stopping = false;
  /** Whose `done(error)` is being logged right now. */
  #failing: Ticket | undefined;

  constructor(red: NodeRed, observer?: TrackerObserver) {
    this.#observer = observer;
    red.hooks.add('onSend.hilum', (events: readonly SendEvent[]) => {
      let previous: SendEvent | undefined;
      for (const event of events) {
        const transaction = this.#onSend(event);
        // One message to many nodes: its payload is looked at once.
        if (previous?.msg === event.msg) event.hilumPassed = previous.hilumPassed;
        else if (transaction !== undefined) {
          followSent(event, transaction, this.#context.getStore());
        }
        previous = event;
      }
    });
    red.hooks.add('preDeliver.hilum', (event: SendEvent) => {
      this.#preDeliver(event);
    });
    red.hooks.add('onReceive.hilum', (event: ReceiveEvent) => {
      this.#onReceive(event);
    });
    red.hooks.add('postReceive.hilum', (event: ReceiveEvent) => {
      this.#postReceive(event);
    });
    red.hooks.add('onComplete.hilum', (event: CompleteEvent) => {
      this.#onComplete(event);
    });
    red.events.on('flows:stopping', () => {
      this.#abortAll();
    });
    red.events.on('flows:started', () => {
      this.#stopping = false;
      red.nodes.eachNode(({ id }) => {
        const node = red.nodes.getNode(id);
        if (node !== null && hasHandler(node)) this.#checkDone(node);
      });
    });
  }

  /**
   * Follows `message` from here; `send` hands it to the flow. `settled` is called exactly once. Flows that
   * are stopping take nothing more: Node-RED would drop it, and nothing open would look like completed.
   */
  run(
    message: object,
    timeoutMs: number,
    send: (transaction: Transaction) => void,
    settled: (result: FlowResult) => void,
  ): void {
    if (this.#stopping) {
      settled({ kind: 'aborted' });
      return;
    }
    this.#sequence += 1;
    const id = String(this.#sequence);
    const transaction = new Transaction(id, timeoutMs, (result) => {
      this.#transactions.delete(id);
      settled(result);
    });
    this.#transactions.set(id, transaction);
    (message as Tracked)[transactionKey] = id;
    try {
      this.#context.run(undefined, send, transaction);
    } catch (error) {
      transaction.error ??= { error, nodeId: undefined };
    } finally {
      transaction.release();
    }
  }

  /** The transaction that a message belongs to; undefined when it came from elsewhere or is settled. */
  find(message: object): Transaction | undefined {
    const id = (message as Tracked)[transactionKey];
    if (id !== undefined) return this.#transactions.get(id);
    const ticket = this.#context.getStore();
    return ticket?.transaction.settled === false ? ticket.transaction : undefined;
  }

  /** Whose code calls this: the node at work and the message it works on; undefined outside of every flow. */
  get running(): Ticket | undefined {
    return this.#context.getStore();
  }

  /** Every ERROR that Node-RED logs goes through here: an error that no Catch node took. */
  onLog(event: LogEvent): void {
    if (event.level !== logLevel.error || event.id === undefined) return;
    // A node may call done(error) from a connection that it shares: the context is another message's then.
    const ticket = this.#failing?.node.id === event.id ? this.#failing : this.#context.getStore();
    if (ticket === undefined) return;
    if (ticket.node.id === event.id) followFailed(ticket);
    ticket.transaction.error ??= { error: event.msg, nodeId: event.id };
    if (ticket.done || ticket.node.id !== event.id) return;
    if (isThrownByHandler()) this.#close(ticket);
    else if (!alwaysDone.has(ticket.node.type)) this.#closeAfterGrace(ticket);
  }

  #ledgerOf(node: RuntimeNode): NodeLedger {
    let ledger = this.#nodes.get(node);
    if (ledger === undefined) {
      ledger = { inTransit: new InTransit(), tickets: new WeakMap(), open: 0 };
      this.#nodes.set(node, ledger);
    }
    return ledger;
  }

  /** The transaction that the message belongs to, while it is under way. */
  #onSend({ msg, source }: SendEvent): Transaction | undefined {
    const id = msg[transactionKey];
    const known = id === undefined ? undefined : this.#transactions.get(id);
    if (known !== undefined) return known;
    const ticket = this.#context.getStore();
    if (ticket === undefined || ticket.transaction.settled) {
      if (id !== undefined || ticket !== undefined) this.#observer?.onLateSend(source.node);
      if (ticket !== undefined) msg[transactionKey] = ticket.transaction.id;
      return undefined;
    }
    // A new object; or one that an earlier message left behind, which this one sends now.
    msg[transactionKey] = ticket.transaction.id;
    return ticket.transaction;
  }

  #preDeliver({ msg, source, destination, hilumPassed: passed }: SendEvent): void {
    const id = msg[transactionKey];
    const transaction = id === undefined ? undefined : this.#transactions.get(id);
    if (transaction === undefined) return;
    this.#aggregates.onSent(source.node, transaction);
    transaction.hold();
    this.#ledgerOf(destination.node).inTransit.deliver(msg, passed);
  }

  #onReceive(event: ReceiveEvent): void {
    const { msg } = event;
    const { node } = event.destination;
    const transaction = this.#adopt(event);
    if (transaction === undefined) return;
    const ledger = this.#ledgerOf(node);
    const delivered = ledger.inTransit.receive(msg);
    // A direct receive() (link, catch, complete) was never in transit: it takes its own hold.
    if (delivered === undefined) transaction.hold();
    if (!hasHandler(node)) {
      transaction.aborted = true;
      transaction.release();
      return;
    }
    const previous = this.#context.getStore();
    const ticket: Ticket = {
      transaction,
      node,
      message: msg,
      previous,
      visit: followReceived(event, transaction, {
        delivered,
        running: this.#failing ?? previous,
      }),
      done: false,
      graceTimer: undefined,
    };
    transaction.tickets.add(ticket);
    ledger.open += 1;
    event.hilumTicket = ticket;
    const open = ledger.tickets.get(msg);
    if (open === undefined) ledger.tickets.set(msg, [ticket]);
    else open.push(ticket);
    if (node.type === 'catch') this.#onCaught(msg);
    this.#context.enterWith(ticket);
  }

  /** Which transaction an arriving message belongs to; a fresh object handed over directly inherits it. */
  #adopt(event: ReceiveEvent): Transaction | undefined {
    const { msg } = event;
    const id = msg[transactionKey];
    const known = id === undefined ? undefined : this.#transactions.get(id);
    if (known !== undefined) return known;
    const previous = this.#context.getStore();
    const outside =
      previous === undefined ||
      previous.transaction.settled ||
      event.destination.node.type === 'status';
    if (outside) {
      event.hilumRestore = { previous };
      this.#context.enterWith(undefined);
      return undefined;
    }
    msg[transactionKey] = previous.transaction.id;
    return previous.transaction;
  }

  /**
   * A Catch node took an error. Where it was thrown, or the node calls no `done` after it, the node is through
   * with its message. Any other may still be working: it is waited for, if need be until the flow's timeout.
   */
  #onCaught(message: object): void {
    const source = (message as { error?: { source?: { id?: string } } }).error?.source;
    const ticket = this.#context.getStore();
    if (ticket === undefined || ticket.done || ticket.node.id !== source?.id) return;
    if (ticket.node.type === doneByComplaint || isThrownByHandler()) this.#closeAfterGrace(ticket);
  }

  #postReceive(event: ReceiveEvent): void {
    const ticket = event.hilumTicket;
    if (ticket === undefined) {
      if (event.hilumRestore !== undefined) this.#context.enterWith(event.hilumRestore.previous);
      return;
    }
    this.#context.enterWith(ticket.previous);
    // What the handler left behind (a timer, a socket) keeps its ticket, which must not keep all before it.
    ticket.previous = undefined;
    // A handler without `done` is over when it returns.
    if (ticket.done || ticket.node._expectedDoneCount) return;
    this.#close(ticket);
    this.#checkDone(ticket.node);
  }

  #checkDone(node: RuntimeNode): void {
    if (node._expectedDoneCount || synchronous.test(node.type) || this.#neverDone.has(node)) return;
    this.#neverDone.add(node);
    this.#observer?.onNeverDone(node);
  }

  #onComplete(event: CompleteEvent): void {
    const { node } = event.node;
    const ledger = this.#nodes.get(node);
    const open = ledger?.tickets.get(event.msg);
    const ticket = open?.shift();
    if (ledger === undefined || open === undefined || ticket === undefined) return;
    if (open.length === 0) ledger.tickets.delete(event.msg);
    if (event.error) {
      this.#expectLog(ticket);
      this.#aggregates.onFailed(ticket);
    } else {
      this.#aggregates.onCompleted(ticket, ledger.open > 1);
    }
    this.#close(ticket);
  }

  /** Node-RED logs the error of `done(error)` right after this hook, unless a Catch node takes it. */
  #expectLog(ticket: Ticket): void {
    this.#failing = ticket;
    queueMicrotask(() => {
      this.#failing = undefined;
    });
  }

  #closeAfterGrace(ticket: Ticket): void {
    if (ticket.done || ticket.graceTimer !== undefined) return;
    ticket.graceTimer = setTimeout(() => {
      this.#close(ticket);
    }, graceMs);
  }

  #close(ticket: Ticket): void {
    if (ticket.done) return;
    ticket.done = true;
    clearTimeout(ticket.graceTimer);
    this.#ledgerOf(ticket.node).open -= 1;
    ticket.transaction.tickets.delete(ticket);
    ticket.transaction.release();
  }

  /** The flows stop: nodes complete what they drop, so nothing open now may count as completed. */
  #abortAll(): void {
    this.#stopping = true;
    for (const transaction of this.#transactions.values()) transaction.aborted = true;
  }
}

/** Whether the node takes messages; a closed one does no more. */
function hasHandler({ _inputCallback, _inputCallbacks }: RuntimeNode): boolean {
  return _inputCallback != null || _inputCallbacks != null;
}
