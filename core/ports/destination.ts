import type { Envelope } from '../envelope.ts';
import type { Outcome } from '../outcome.ts';

/** Where messages go out. One per sender definition; safe for concurrent `deliver`. */
export interface Destination {
  /** One attempt. Never rejects: what went wrong is the outcome. `signal` ends the attempt (shutdown). */
  deliver(envelope: Envelope, signal: AbortSignal): Promise<Outcome>;
  /** Lets go of connections. Idempotent. */
  close(): Promise<void>;
}
