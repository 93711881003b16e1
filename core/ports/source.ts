/**
 * Where messages come in. The connector frames bytes into one message and hands it over; what to answer
 * is decided by whoever accepts it.
 */
export interface Source {
  /** Listens; resolves when connections are taken. Rejects when the address cannot be had. */
  start(): Promise<void>;
  /** Takes no more, waits up to `drainMs` for the answers under way, then closes what is left. Idempotent. */
  stop(options: { readonly drainMs: number }): Promise<void>;
  /** Where it really listens: the port is the one that the system chose where 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
}

/** One framed message, exactly as it came, without its framing. */
export interface Received {
  readonly bytes: Uint8Array;
  /** `127.0.0.1:51234`; behind a proxy that says so, the peer before it. */
  readonly remote: string;
  /** Absent where the transport has no connections. */
  readonly connection?: ConnectionIdentity;
}

/** Which connection a message came by. */
export interface ConnectionIdentity {
  /** `2575-17`: the seventeenth of the listener on port 2575 since it started. */
  readonly id: string;
  /** The subject of the peer's verified certificate: `CN=lab.example,O=Laboratory`. */
  readonly certificate?: string;
}

/** An answer that takes longer than to make the message durable. */
export interface DeferredAnswer {
  /** What is due at once, in its order. */
  readonly now: readonly Uint8Array[];
  /** Resolves with what is due then, undefined for nothing. A rejection closes the connection. */
  readonly later: Promise<Uint8Array | undefined>;
  /** Whether `later` keeps the message's place among the answers of its connection; else it is sent when it is there. */
  readonly inTurn: boolean;
}

/**
 * Called once a message, in the order of arrival on a connection; calls of one connection do not overlap
 * unless the connector says so. Resolves with the message to answer, several in their order (an
 * accept and an application acknowledgment), or undefined for no answer, only after the message is durable
 * or refused; with a DeferredAnswer where more is to be answered later, which counts as unanswered until then. A rejection closes the connection without an answer: the sender repeats.
 */
export type Accept = (
  received: Received,
) => Promise<Uint8Array | readonly Uint8Array[] | DeferredAnswer | undefined>;
