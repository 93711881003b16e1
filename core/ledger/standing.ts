import { packHeld } from '../held-code.ts';
import type { LedgerEvent } from '../ports/ledger.ts';
import { closingKinds, finalityOf, messageStates, rankOf, stateAfter } from './codes.ts';
import { compareInstants, laterOf } from './instants.ts';

/** Where a message stands, and what follows from its events as they come. */
export interface Standing {
  readonly id: string;
  /** An index of `messageStates`. */
  state: number;
  /** Of the event that led there; `''` before the first. */
  stateAt: string;
  stateRank: number;
  lastEventAt: string;
  /** Nothing has ended its waiting yet, for certain. */
  open: boolean;
  /** The queues that it waits in, and since when. */
  readonly waits: Map<string, string>;
  /** By the queues in which it is set aside. */
  readonly parkings: Map<string, Parking>;
  /** They have changed. */
  hasNewParkings: boolean;
}

export interface Parking {
  /** Of its event: the order of parking. */
  readonly number: number;
  readonly key: string;
  readonly since: string;
  /** It was given up and waits for a decision. */
  isStopped: boolean;
  /** The codes that it waits for, packed: they are the decision. Undefined: none. */
  held: string | undefined;
}

/** What the rules ask of whoever has the rest of a message. */
export interface Surroundings<Message extends Standing> {
  /** Whether one of its events so far has ended its waiting in this queue. */
  isClosed(message: Message, queue: string): boolean;
  keyOf(message: Message): string | undefined;
  /** One more waits in this queue, or one less. */
  count(queue: string, by: 1 | -1): void;
}

/** Takes one more event, with its number in the order of arrival. To be called before the event is one of its own. */
export function followEvent<Message extends Standing>(
  message: Message,
  { event, number }: { readonly event: LedgerEvent; readonly number: number },
  around: Surroundings<Message>,
): void {
  followState(message, event);
  const { kind, queue } = event;
  if (kind === 'queued' && queue != null) {
    // The worker's "processed" may be written before the edge's "queued", and a flow that is retried may
    // say again that it queued what has long gone on.
    if (!message.open && around.isClosed(message, queue)) return;
    if (message.waits.has(queue)) return;
    message.waits.set(queue, event.at);
    around.count(queue, 1);
  } else if (kind === 'parked' && queue != null) {
    if (!message.open && around.isClosed(message, queue)) return;
    park(message, { queue, number, event }, around);
  } else if (kind === 'resumed') {
    for (const [name, parking] of message.parkings) {
      if (queue != null && queue !== name) continue;
      parking.isStopped = false;
      parking.held = undefined;
    }
    message.hasNewParkings = message.parkings.size > 0;
  } else if (closingKinds.has(kind)) {
    endWaiting(message, queue ?? undefined, around);
  }
}

function followState(message: Standing, event: LedgerEvent): void {
  message.lastEventAt = laterOf(message.lastEventAt, event.at);
  const state = stateAfter[event.kind];
  if (state === undefined) return;
  const finality = finalityOf(state);
  const before = finalityOf(messageStates[message.state] ?? 'received');
  if (finality < before) return;
  const rank = rankOf(event.kind);
  // An end counts whatever a clock says that was set back: only what leads there goes by time.
  if (finality === 0) {
    const order = compareInstants(event.at, message.stateAt);
    if (order < 0 || (order === 0 && rank < message.stateRank)) return;
  }
  message.state = messageStates.indexOf(state);
  message.stateAt = event.at;
  message.stateRank = rank;
}

/** By its key; a message without one has nobody behind it and is alone with its own id. */
function park<Message extends Standing>(
  message: Message,
  {
    queue,
    number,
    event,
  }: { readonly queue: string; readonly number: number; readonly event: LedgerEvent },
  around: Surroundings<Message>,
): void {
  let parking = message.parkings.get(queue);
  if (parking === undefined) {
    const key = around.keyOf(message) ?? message.id;
    parking = { number, key, since: event.at, isStopped: false, held: undefined };
    message.parkings.set(queue, parking);
  }
  if (event.issues != null && event.issues.length > 0) {
    parking.isStopped = true;
    const codes = event.held ?? [];
    parking.held = codes.length === 0 ? undefined : packHeld(codes);
  }
  message.hasNewParkings = true;
}

function endWaiting<Message extends Standing>(
  message: Message,
  queue: string | undefined,
  around: Surroundings<Message>,
): void {
  message.open = false;
  for (const name of queue === undefined ? [...message.waits.keys()] : [queue]) {
    if (message.waits.delete(name)) around.count(name, -1);
  }
  if (message.parkings.size === 0) return;
  if (queue === undefined) message.parkings.clear();
  else message.parkings.delete(queue);
  message.hasNewParkings = true;
}
