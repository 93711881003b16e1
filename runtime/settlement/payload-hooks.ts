import type { Visit } from '../changes/trail.ts';
import type { RuntimeNode } from '../node-red.ts';
import type { ReceiveEvent, SendEvent, Tracked } from './hook-events.ts';
import type { Delivered } from './in-transit.ts';
import type { Ticket, Transaction } from './transaction.ts';

/*
 * Where the payload of a followed message is looked at: when it leaves a node, and when one fails. A node may change
 * its message in place, and the first that a message is sent to gets the very object while others get copies: so what
 * came in to a node is captured before its handler runs.
 */

type WithPayload = Tracked & { readonly payload?: unknown };

/** A message leaves a node; `running`: whose handler this is, as far as that can be told. */
export function followSent(
  event: SendEvent,
  transaction: Transaction,
  running: Ticket | undefined,
): void {
  const { trail } = transaction;
  if (trail === undefined) return;
  const { payload } = event.msg as WithPayload;
  const { node, port = 0 } = event.source;
  const visit = findTicket(transaction, node, { running, message: event.msg })?.visit;
  if (visit === undefined) {
    event.hilumPassed = trail.begin(payload);
    return;
  }
  visit.isSent = true;
  event.hilumPassed = trail.leave(visit, payload, { output: port + 1 });
}

/** Whose message it is that the node sends: it may send from a connection or timer that messages share. */
function findTicket(
  { tickets }: Transaction,
  node: RuntimeNode,
  { running, message }: { readonly running: Ticket | undefined; readonly message: object },
): Ticket | undefined {
  if (running?.node === node && tickets.has(running)) return running;
  let found: Ticket | undefined;
  for (const ticket of tickets) {
    if (ticket.node !== node) continue;
    if (ticket.message === message) return ticket;
    found ??= ticket;
  }
  return found;
}

/**
 * A message comes in to a node, before its handler runs. One that was handed over without being sent, as to a Catch
 * node or from link to link, carries what the `running` node has made of its own.
 */
export function followReceived(
  { msg, destination }: ReceiveEvent,
  transaction: Transaction,
  from: { readonly delivered: Delivered | undefined; readonly running: Ticket | undefined },
): Visit | undefined {
  const { trail } = transaction;
  if (trail === undefined) return undefined;
  const { node } = destination;
  const { payload } = msg as WithPayload;
  const giver = from.running?.transaction === transaction ? from.running.visit : undefined;
  if (from.delivered !== undefined) {
    return trail.arrive(node, from.delivered.passed ?? trail.begin(payload));
  }
  // What it has sent on may be changed by others by now.
  if (giver === undefined || giver.isSent) return trail.arrive(node, trail.begin(payload));
  return trail.arrive(
    node,
    trail.leave(giver, payload, node.type === 'catch' ? { failed: true } : {}),
  );
}

/** A node fails with its message, and no Catch node takes that. */
export function followFailed({ transaction, visit, message }: Ticket): void {
  if (visit === undefined || visit.isSent) return;
  transaction.trail?.leave(visit, (message as WithPayload).payload, { failed: true });
}
