/**
 * What is watched of an interface: `backlog`: messages that wait in one of its queues; `oldest`: for how long the
 * oldest of these has; `dead`: dead letters of one of its queues; `silence`: for how long its listeners have received
 * nothing.
 */
export type AlarmKind = 'backlog' | 'oldest' | 'silence' | 'dead';

/** `GET /api/alarms` and the body of a notification: names and figures, never anything of a message. */
export interface AlarmView {
  /** The same in the notification of its start and in that of its end. */
  readonly id: string;
  readonly kind: AlarmKind;
  readonly interface: string;
  /** The interface's name for people, where it is known. */
  readonly interfaceLabel?: string;
  /** Of all kinds but `silence`. */
  readonly queue?: string;
  /** The listener or sender behind the queue, as the analyst named it. */
  readonly label?: string;
  /** When it started, ISO 8601 UTC. */
  readonly since: string;
  /** Messages, or seconds where it is about time. */
  readonly value: number;
  readonly limit: number;
  readonly unit: 'messages' | 'seconds';
  /** The whole in one sentence. */
  readonly message: string;
}

/** What stands, and how the receiver of notifications does. */
export interface AlarmsView {
  readonly standing: readonly AlarmView[];
  readonly receiver: ReceiverView;
}

export interface ReceiverView {
  /** Scheme, host and port; the rest of the address may be a secret. Absent: none is set, the log alone tells. */
  readonly to?: string;
  /** Notifications that it has not taken yet. */
  readonly pending: number;
  /** Notifications that it will never get, since Hilum started: refused by it, or too many waited. */
  readonly dropped: number;
  /** Why it does not take any now, and since when. */
  readonly reason?: string;
  readonly since?: string;
}

/** What came of a notification that was sent as a test. */
export interface AlarmTestView {
  readonly taken: boolean;
  /** `It answered 200.`, or why not and what to do. */
  readonly message: string;
}

/** The alarms of the running engine, handed in by the runtime. Answered from memory but for `test`. */
export interface AlarmReader {
  view(): AlarmsView;
  /** Sends one notification of the event `test` now and once. */
  test(): Promise<AlarmTestView>;
}
