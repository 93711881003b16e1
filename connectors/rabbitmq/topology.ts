import type { Channel } from 'amqplib';
import { buildError, HilumError } from '../../core/errors.ts';
import type { QueueDefinition } from '../../core/ports/broker.ts';
import type { Connection } from './connection.ts';
import { buildTopologyDiffers, buildUnavailable, toAmqpFailure } from './failures.ts';
import { toLaneCount } from './lane-choice.ts';
import type { Names } from './names.ts';
import { laneNames } from './names.ts';

/**
 * How long a message may be parked, shortest first. RabbitMQ expires a queue from its head only, so
 * each delay needs a queue of its own; a delay asked for is rounded up to the next of these.
 */
export const retryStepsMs = [1_000, 5_000, 30_000, 120_000, 600_000] as const;

/** The shortest step that is no shorter than the delay; the longest one where none is long enough. */
export function toRetryStep(delayMs: number): number {
  return retryStepsMs.find((step) => step >= delayMs) ?? retryStepsMs[retryStepsMs.length - 1] ?? 0;
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

type Arguments = Readonly<Record<string, string | number | boolean>>;

/** Queue arguments that mean the same to RabbitMQ 3.10 and 4.x; they can never change for a name. */
function buildArguments(
  names: Names,
  queue: string,
): Readonly<Record<'work' | 'lane' | 'dead', Arguments>> &
  Readonly<{ retry: (stepMs: number) => Arguments }> {
  const work = {
    ...quorum,
    'x-delivery-limit': deliveryLimit,
    ...atLeastOnceTo(names.dead(queue)),
  };
  return {
    work,
    lane: { ...work, 'x-single-active-consumer': true },
    dead: { ...quorum, 'x-delivery-limit': deliveryLimit },
    retry: (stepMs) => ({
      ...quorum,
      'x-message-ttl': stepMs,
      ...atLeastOnceTo(names.queue(queue)),
    }),
  };
}

/**
 * Makes the queue, its dead-letter queue, its retry queues, its lanes and its subscriptions exist; `lanesThere`: with
 * those that it had before. Rejects with `broker-topology-differs` where one exists with other arguments, else
 * `broker-unavailable`.
 */
export async function declareQueue(
  connection: Connection,
  names: Names,
  { definition, lanesThere }: { readonly definition: QueueDefinition; readonly lanesThere: number },
): Promise<void> {
  const { name, topics = [], order } = definition;
  await onThrowAwayChannel(connection, async (channel) => {
    const args = buildArguments(names, name);
    const declare = async (queue: string, its: Arguments): Promise<void> => {
      const declaring = () => channel.assertQueue(queue, { durable: true, arguments: its });
      try {
        await connection.call(declaring, `The queue ${queue} cannot be declared`);
      } catch (error) {
        throw toDeclareError('queue', queue, error);
      }
    };
    // Targets before the queues that dead-letter into them.
    await declare(names.dead(name), args.dead);
    await declare(names.queue(name), args.work);
    for (const stepMs of retryStepsMs) await declare(names.retry(name, stepMs), args.retry(stepMs));
    const lanes = laneNames(names, name, toLaneCount(order));
    for (const lane of lanes) await declare(lane, args.lane);
    for (const topic of topics) {
      await subscribe(connection, channel, {
        exchange: names.events,
        topic,
        // The first lane keeps the order of events; its consumer moves them into their lanes.
        queue: lanes[0] ?? names.queue(name),
        notBy:
          lanes[0] !== undefined
            ? names.queue(name)
            : lanesThere > 0
              ? names.lane(name, 0)
              : undefined,
      });
    }
  });
}

/** Bound anew before it is unbound: an event that comes in between comes twice, never not at all. */
async function subscribe(
  connection: Connection,
  channel: Channel,
  it: {
    readonly exchange: string;
    readonly topic: string;
    readonly queue: string;
    readonly notBy: string | undefined;
  },
): Promise<void> {
  const { exchange, topic, queue, notBy } = it;
  const what = `The queue ${queue} cannot subscribe to ${topic}`;
  try {
    await connection.call(() => channel.bindQueue(queue, exchange, topic), what);
    if (notBy === undefined) return;
    await connection.call(() => channel.unbindQueue(notBy, exchange, topic), what);
  } catch (error) {
    throw toDeclareError('queue', queue, error);
  }
}

/**
 * How many lanes a queue has on the server, where it has at least `known`. Those beyond are from before. The first
 * that is not there leaves an error in the server's log: what exists cannot be asked for in another way.
 */
export async function countLanes(
  connection: Connection,
  names: Names,
  { queue, known }: { readonly queue: string; readonly known: number },
): Promise<number> {
  let count = known;
  while (await exists(connection, names.lane(queue, count))) count += 1;
  return count;
}

async function exists(connection: Connection, name: string): Promise<boolean> {
  try {
    await onThrowAwayChannel(connection, (channel) =>
      connection.call(() => channel.checkQueue(name), `The queue ${name} cannot be asked for`),
    );
    return true;
  } catch (error) {
    if (toAmqpFailure(error).code === 404) return false;
    throw toDeclareError('queue', name, error);
  }
}

/** Makes the topic exchange for events exist; `declareQueue` needs it. */
export async function declareEvents(connection: Connection, names: Names): Promise<void> {
  const { events } = names;
  await onThrowAwayChannel(connection, async (channel) => {
    const declaring = () => channel.assertExchange(events, 'topic', { durable: true });
    try {
      await connection.call(declaring, `The exchange ${events} cannot be declared`);
    } catch (error) {
      throw toDeclareError('exchange', events, error);
    }
  });
}

/** A channel of its own: an error of the server closes the channel it happens on, with all that is on it. */
export async function onThrowAwayChannel<Result>(
  connection: Connection,
  use: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  const channel = await connection.createChannel();
  // The rejected call tells the same.
  channel.on('error', () => undefined);
  let open = true;
  channel.on('close', () => {
    open = false;
  });
  try {
    return await use(channel);
  } finally {
    const closing = () => channel.close();
    // `open` is changed by the listener above.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (open) await connection.call(closing, 'A channel cannot be closed').catch(() => undefined);
  }
}

function toDeclareError(what: 'queue' | 'exchange', name: string, error: unknown): HilumError {
  if (error instanceof HilumError) return error;
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
