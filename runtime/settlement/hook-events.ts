import type { RuntimeNode } from '../node-red.ts';
import type { Passed } from '../changes/trail.ts';
import type { Ticket } from './transaction.ts';

/** Survives Node-RED's deep clone and `{...msg}`, and shows in no debug output. */
export const transactionKey = Symbol('hilum.transaction');

/** A message as the hooks see it. */
export type Tracked = object & { [transactionKey]?: string };

/** Before (`onSend`, `preDeliver`) a message goes from one node to another. */
export interface SendEvent {
  readonly msg: Tracked;
  readonly source: { readonly node: RuntimeNode; readonly port?: number };
  readonly destination: { readonly node: RuntimeNode };
  /** Set by onSend for preDeliver of the same delivery: the message may be another by then, a copy. */
  hilumPassed?: Passed | undefined;
}

/** Before and after a node's input handler runs. */
export interface ReceiveEvent {
  readonly msg: Tracked;
  readonly destination: { readonly node: RuntimeNode };
  /** Set by onReceive for postReceive of the same delivery. */
  hilumTicket?: Ticket;
  hilumRestore?: { readonly previous: Ticket | undefined };
}

/** A node called `done`. */
export interface CompleteEvent {
  readonly msg: Tracked;
  readonly error?: unknown;
  readonly node: { readonly node: RuntimeNode };
}

/** Told of nodes whose settlement is doubtful. */
export interface TrackerObserver {
  /** The node sent for a flow that had been settled, as a function without `node.done()` does. Each time. */
  onLateSend(node: RuntimeNode): void;
  /** No handler of the node calls `done`, and it is not known to be over when it returns. Once a node. */
  onNeverDone(node: RuntimeNode): void;
}
