import type { Issue } from '../../core/issue.ts';
import type { LedgerEventKind, MessageState } from '../../core/ports/ledger.ts';
import type { AlarmView } from './alarms.ts';
import type { ControlStatus, Problem } from './control.ts';

/*
 * What the API answers, as JSON. The web page imports these as types; `hilum queues --json` and
 * `hilum trace --json` print them as they are, so a change here is a change of a public face: docs/console.md.
 */

/** A queue: how much is in it, since when, and how fast it moves. */
export interface QueueView {
  readonly queue: string;
  /** The interface (flow tab) it belongs to. */
  readonly interface: string;
  /** The listener or sender behind it, as the analyst named it. */
  readonly label?: string;
  /** Waiting. */
  readonly ready: number;
  /** Being worked on. */
  readonly unsettled: number;
  /** Given up: in the dead-letter queue. */
  readonly dead: number;
  /** Since when the oldest waits, ISO 8601 UTC; null when nothing does. */
  readonly oldestAt: string | null;
  /** The same as an age, whole seconds. */
  readonly oldestAgeSeconds: number | null;
  /** Messages of the last minute: `in` were queued; `out` left it (processed, delivered, dead-lettered). */
  readonly ratePerMinute: { readonly in: number; readonly out: number };
}

/** A message without its body and without its ordering key: both are patient data. */
export interface MessageView {
  readonly id: string;
  readonly interface: string;
  /** The interface's name for people, where it is known. */
  readonly interfaceLabel?: string;
  readonly messageType?: string;
  readonly controlId?: string;
  readonly contentType: string;
  readonly state: MessageState;
  readonly receivedAt: string;
  readonly lastEventAt: string;
  readonly attempt: number;
  readonly bytes: number;
  readonly correlationId: string;
  /** The message that this one was made from. */
  readonly causationId?: string;
}

/** `GET /api/queues/…/messages`: a message that waits there. */
export interface WaitingView extends MessageView {
  readonly waitsSince: string;
}

/** Of so many keys at most; those that are set aside longest. */
export const mostParked = 1_000;

/** `GET /api/parked`: messages of one key that are set aside. */
export interface ParkedView {
  readonly queue: string;
  readonly parked: number;
  /** The first of them, which the others wait for. */
  readonly firstId: string;
  readonly since: string;
  /** The first was given up: somebody must decide about it. */
  readonly isStopped: boolean;
  /** It waits for a code to be mapped, and goes on by itself then. */
  readonly isHeld?: true;
}

/** One thing that befell one message of a trace. */
export interface StepView {
  readonly messageId: string;
  readonly kind: LedgerEventKind;
  readonly at: string;
  /** Milliseconds since the first message of the trace was received. */
  readonly sinceReceivedMs: number;
  readonly queue?: string;
  readonly attempt?: number;
  readonly summary?: string;
  readonly issues?: readonly Issue[];
}

/** A message, all that is related to it, and every step in order of time. */
export interface TraceView {
  /** The id of the message that was asked for, also where a control id was given. */
  readonly id: string;
  readonly messages: readonly MessageView[];
  readonly steps: readonly StepView[];
}

/** `GET /api/status`: the processes, listeners and senders, and what is running. */
export interface StatusView extends ControlStatus {
  readonly version: string;
  readonly ready: boolean;
  /** Why it is not. */
  readonly problems: readonly Problem[];
  /** Those that stand. */
  readonly alarms: readonly AlarmView[];
}

/** `GET /api/session`: who is signed in, and whether an administrator must be made first. */
export interface SessionView {
  readonly user: UserView | null;
  readonly setupRequired: boolean;
  readonly version?: string;
}

export interface UserView {
  readonly username: string;
  readonly permissions: readonly string[];
}

/** Every error answer of the API. */
export interface ErrorView {
  readonly error: { readonly code: string; readonly message: string };
}

/** A queue as the live page draws it: with what came in and went out, in steps of ten seconds, oldest first. */
export interface LiveQueue extends QueueView {
  readonly history: { readonly in: readonly number[]; readonly out: readonly number[] };
}

/**
 * What `/api/live` sends: everything at once, whenever something changed, at most once a second; a
 * heartbeat where nothing did; a fault where ledger or broker do not answer.
 */
export type LiveMessage =
  | {
      readonly type: 'snapshot';
      readonly at: string;
      readonly status: StatusView;
      readonly queues: readonly LiveQueue[];
      readonly messages: readonly MessageView[];
    }
  | { readonly type: 'heartbeat'; readonly at: string }
  | { readonly type: 'fault'; readonly at: string; readonly message: string };

/** The close code of `/api/live` when the session has ended: sign in again. */
export const signedOutCode = 4401;

/** How long a password must and may be, in characters: length is what resists guessing. */
export const passwordLength = { min: 12, max: 256 } as const;
