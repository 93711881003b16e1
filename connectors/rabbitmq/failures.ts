import type { HilumError } from '../../core/errors.ts';
import { buildError } from '../../core/errors.ts';

/** What RabbitMQ says when it closes a channel or refuses a connection, as far as we act on it. */
interface AmqpFailure {
  /** AMQP 0-9-1 reply code: 403 access refused, 404 not found, 406 precondition failed. */
  readonly code: number | undefined;
  readonly message: string;
}

/** Reads a failure out of whatever amqplib rejected or emitted. */
export function toAmqpFailure(thrown: unknown): AmqpFailure {
  if (!(thrown instanceof Error)) return { code: undefined, message: String(thrown) };
  const { code } = thrown as { code?: unknown };
  // A connection refused to several addresses of one name has no text of its own.
  const message = thrown.message === '' && typeof code === 'string' ? code : thrown.message;
  if (typeof code === 'number') return { code, message };
  // A refused handshake carries its reply code only in amqplib's text: "403 (ACCESS-REFUSED) with …".
  const reply = /^Handshake terminated by server: (\d{3}) /.exec(message)?.[1];
  return { code: reply === undefined ? undefined : Number(reply), message };
}

/** It is not known to be done: the same again, later, with the same id. */
export function buildUnavailable(what: string, cause?: unknown): HilumError {
  const because = cause === undefined ? '' : `: ${toAmqpFailure(cause).message}`;
  return buildError('transient', 'broker-unavailable', `${what}${because}`, cause);
}

/** An envelope was published to a queue that is not there. */
export function buildQueueMissing(name: string): HilumError {
  return buildError(
    'permanent',
    'queue-missing',
    `The queue ${name} does not exist on RabbitMQ. It is declared when its flow is deployed: deploy it, or correct the name.`,
  );
}

/** An event was published that no queue has subscribed to. */
export function buildTopicWithoutQueue(topic: string): HilumError {
  return buildError(
    'permanent',
    'topic-without-queue',
    `No queue is subscribed to the topic ${topic}, so the event would be lost. Subscribe one (a "queue in" node), or do not publish it.`,
  );
}

/**
 * A queue or exchange of ours exists with other arguments. It is never deleted or declared anew from
 * here: it may hold messages.
 */
export function buildTopologyDiffers(what: string, name: string, cause: unknown): HilumError {
  return buildError(
    'permanent',
    'broker-topology-differs',
    `The ${what} ${name} exists on RabbitMQ with other arguments than Hilum declares ` +
      `(${toAmqpFailure(cause).message}). It was left as it is. Drain it, delete it ` +
      `(rabbitmqctl delete_${what} ${name}, or the management page) and start again, or give Hilum ` +
      'another prefix for its names.',
    cause,
  );
}
