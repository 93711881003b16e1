import { contentTypes, type Envelope } from '../../core/envelope.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import type {
  DuplicatePolicy,
  ListenerAcknowledgment,
  ListenerDefinition,
} from '../../core/interface.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Received } from '../../core/ports/source.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import { Recorder } from '../recorder.ts';
import { newId, toInstant } from '../ids.ts';
import type { Answerable } from './answers.ts';
import type { FlowResults } from './flow-results.ts';
import type { IntakeStore } from './intake-store.ts';
import { describeOrigin } from './origin.ts';

/** One listener's rules, and where its messages go. */
export interface Intake {
  readonly listener: ListenerDefinition;
  readonly settings: ListenerAcknowledgment;
  readonly policy: DuplicatePolicy;
  readonly store: IntakeStore;
  readonly results: FlowResults;
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A message is in the queue. */
  readonly onStored?: () => void;
  /** The profile that is checked by at this moment; undefined: none. */
  readonly profile?: () => ProfileCopy | undefined;
  /** The revision that is taken by at this moment; undefined: there are none. */
  readonly revision?: () => number | undefined;
}

/** A message on its way in; without a header where it has none that can be read. */
export interface Incoming extends Answerable {
  readonly received: Received;
}

export function buildEnvelope(
  { listener, clock, revision: findRevision }: Intake,
  { received, header }: Incoming,
  more: Partial<Pick<Envelope, 'key' | 'correlationId' | 'causationId' | 'replyTo'>> = {},
): Envelope {
  const now = clock();
  const id = newId(now);
  const revision = findRevision?.();
  return {
    id,
    interface: listener.interface,
    contentType: contentTypes.hl7v2,
    ...(header === undefined
      ? {}
      : {
          messageType: header.messageType,
          controlId: header.controlId,
        }),
    ...(listener.charset === undefined ? {} : { charset: listener.charset }),
    correlationId: id,
    receivedAt: toInstant(now),
    attempt: 1,
    ...(revision === undefined ? {} : { revision }),
    body: received.bytes,
    ...more,
  };
}

/** An event of the message's intake. */
export function buildEvent(
  { id, receivedAt }: Envelope,
  rest: Pick<LedgerEvent, 'kind' | 'summary' | 'queue' | 'issues' | 'attempt'>,
): LedgerEntry {
  return { type: 'event', event: { messageId: id, at: receivedAt, ...rest } };
}

/** `Laboratory from 10.1.2.3:5123, connection 2575-17`. */
export function describeIntake({ listener }: Intake, { received }: Incoming): string {
  return `${listener.label} from ${describeOrigin(received)}`;
}

/** For people alone: of what is refused, or was here before. */
export async function record(
  intake: Intake,
  envelope: Envelope,
  event: Pick<LedgerEvent, 'kind' | 'summary' | 'issues'>,
): Promise<void> {
  await new Recorder(intake).write([{ type: 'message', envelope }, buildEvent(envelope, event)]);
}
