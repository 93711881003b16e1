import type { Channel, ChannelModel } from 'amqplib';
import type { HilumError } from '../../core/errors.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { QueueDefinition } from '../../core/ports/broker.ts';
import { buildTopologyDiffers, buildUnavailable, toAmqpFailure } from './failures.ts';

/**
 * How long a message may be parked, shortest first. RabbitMQ expires a queue from its head only, so
 * each delay needs a queue of its own; a delay asked for is rounded up to the next of these.
 */
export const retryStepsMs = [1_000, 5_000, 30_000, 120_000, 600_000] as const;

const stepNames = new Map<number, string>([
  [1_000, '1s'],
  [5_000, '5s'],
  [30_000, '30s'],
  [120_000, '2m'],
  [600_000, '10m'],
]);

/** The shortest step that is no shorter than the delay; the longest one where none is long enough. */
export function toRetryStep(delayMs: number): number {
  return retryStepsMs.find((step) => step >= delayMs) ?? retryStepsMs[retryStepsMs.length - 1] ?? 0;
}

/** What our queues and our exchange are called on the server, all below one prefix. */
export interface Names {
  readonly events: string;
  queue(queue: string): string;
  dead(queue: string): string;
  retry(queue: string, stepMs: number): string;
}

export function buildNames(prefix: string): Names {
  return {
    events: `${prefix}.events`,
    queue: (queue) => `${prefix}.${queue}`,
    dead: (queue) => `${prefix}.${queue}.dead`,
    retry: (queue, stepMs) => `${prefix}.${queue}.retry.${stepNames.get(stepMs) ?? stepMs}`,
  };
}

// Always given and always finite: without it RabbitMQ before 4.0 puts a returned message at the tail
// and later versions drop it after 20 returns; -1 means "no limit" to 4.x and "drop at once" to 3.10.
const deliveryLimit = 1_000_000;

const quorum = { 'x-queue-type': 'quorum' } as const;

/** Dead-lettering that waits for the confirm of the target; it needs reject-publish. */
const atLeastOnceTo = (name: string): Readonly<Record<string, string | number>> => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': name,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
});

/** Queue arguments that mean the same to RabbitMQ 3.10 and 4.x; they can never change for a name. */
function buildArguments(
  names: Names,
  queue: string,
): Readonly<Record<'work' | 'dead', Readonly<Record<string, string | number>>>> &
  Readonly<{ retry: (stepMs: number) => Readonly<Record<string, string | number>> }> {
  return {
    work: { ...quorum, 'x-delivery-limit': deliveryLimit, ...atLeastOnceTo(names.dead(queue)) },
    dead: { ...quorum, 'x-delivery-limit': deliveryLimit },
    retry: (stepMs) => ({
      ...quorum,
      'x-message-ttl': stepMs,
      ...atLeastOnceTo(names.queue(queue)),
    }),
  };
}

/**
 * Makes the queue, its dead-letter queue, its retry queues and its subscriptions exist. Rejects with
 * `broker-topology-differs` where one exists with other arguments, else `broker-unavailable`.
 */
export async function declareQueue(
  model: ChannelModel,
  names: Names,
  definition: QueueDefinition,
): Promise<void> {
  const { name, topics = [] } = definition;
  const declareAll = async (channel: Channel): Promise<void> => {
    const declare = buildArguments(names, name);
    // Targets before the queues that dead-letter into them.
    await assertQueue(channel, names.dead(name), declare.dead);
    await assertQueue(channel, names.queue(name), declare.work);
    for (const stepMs of retryStepsMs) {
      await assertQueue(channel, names.retry(name, stepMs), declare.retry(stepMs));
    }
    for (const topic of topics) {
      await channel.bindQueue(names.queue(name), names.events, topic);
    }
  };
  try {
    await onThrowAwayChannel(model, declareAll);
  } catch (error) {
    throw findFailure(error) === undefined
      ? toDeclareError('queue', names.queue(name), error)
      : error;
  }
}

/** Makes the topic exchange for events exist; `declareQueue` needs it. */
export async function declareEvents(model: ChannelModel, names: Names): Promise<void> {
  await onThrowAwayChannel(model, async (channel) => {
    try {
      await channel.assertExchange(names.events, 'topic', { durable: true });
    } catch (error) {
      throw toDeclareError('exchange', names.events, error);
    }
  });
}

/** A channel of its own: an error of the server closes the channel it happens on, with all that is on it. */
export async function onThrowAwayChannel<Result>(
  model: ChannelModel,
  use: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  const channel = await model.createChannel();
  // The rejected call tells the same.
  channel.on('error', () => undefined);
  let open = true;
  channel.on('close', () => {
    open = false;
  });
  try {
    return await use(channel);
  } finally {
    // `open` is changed by the listener above.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (open) await channel.close().catch(() => undefined);
  }
}

async function assertQueue(
  channel: Channel,
  name: string,
  args: Readonly<Record<string, string | number>>,
): Promise<void> {
  try {
    await channel.assertQueue(name, { durable: true, arguments: args });
  } catch (error) {
    throw toDeclareError('queue', name, error);
  }
}

function toDeclareError(what: 'queue' | 'exchange', name: string, error: unknown): HilumError {
  const { code, message } = toAmqpFailure(error);
  if (code === 406) return buildTopologyDiffers(what, name, error);
  if (code === 403) {
    return buildError(
      'permanent',
      'broker-access-refused',
      `RabbitMQ refused to declare the ${what} ${name}: ${message}. Give Hilum's user the permission ` +
        'to configure, write and read names that start with its prefix (rabbitmqctl set_permissions).',
      error,
    );
  }
  return buildUnavailable(`The ${what} ${name} could not be declared on RabbitMQ`, error);
}
