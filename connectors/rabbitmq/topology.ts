import type { Channel, ChannelModel } from 'amqplib';
import type { HilumError } from '../../core/errors.ts';
import { buildError, findFailure } from '../../core/errors.ts';
import type { QueueDefinition } from '../../core/ports/broker.ts';
import { buildTopologyDiffers, buildUnavailable, toAmqpFailure } from './failures.ts';
import { inTime } from './in-time.ts';
import { laneHeader, toLaneCount } from './lane-choice.ts';
import { laneNames } from './names.ts';
import type { Names } from './names.ts';

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
 * Makes the queue, its dead-letter queue, its retry queues, its lanes and its subscriptions exist. What was
 * published to `earlier` numbers of lanes goes where it goes now. Rejects with `broker-topology-differs` where
 * one exists with other arguments, else `broker-unavailable`.
 */
export async function declareQueue(
  model: ChannelModel,
  names: Names,
  {
    definition,
    earlier,
  }: { readonly definition: QueueDefinition; readonly earlier: readonly number[] },
): Promise<void> {
  const { name, topics = [], order } = definition;
  const declareAll = async (channel: Channel): Promise<void> => {
    const declare = buildArguments(names, name);
    // Targets before the queues that dead-letter into them.
    await assertQueue(channel, names.dead(name), declare.dead);
    await assertQueue(channel, names.queue(name), declare.work);
    for (const stepMs of retryStepsMs) {
      await assertQueue(channel, names.retry(name, stepMs), declare.retry(stepMs));
    }
    const count = order === undefined ? 0 : toLaneCount(order.lanes);
    if (count > 0) await declareLanes(channel, names, { queue: name, count });
    if (count > 0 || earlier.length > 0)
      await route(channel, names, { queue: name, count, earlier });
    for (const topic of topics) {
      // Bound anew before it is unbound: an event that comes in between comes twice, never not at all.
      if (count > 0) {
        await channel.bindExchange(names.lanes(name), names.events, topic);
        await channel.unbindQueue(names.queue(name), names.events, topic);
      } else {
        await channel.bindQueue(names.queue(name), names.events, topic);
      }
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

/** The lanes, and the exchange that the server chooses one of them by. What names none goes to the queue itself. */
async function declareLanes(
  channel: Channel,
  names: Names,
  { queue, count }: { readonly queue: string; readonly count: number },
): Promise<void> {
  const { lane } = buildArguments(names, queue);
  await assertExchange(channel, names.rest(queue), { type: 'fanout' });
  await channel.bindQueue(names.queue(queue), names.rest(queue), '');
  await assertExchange(channel, names.lanes(queue), {
    type: 'headers',
    alternateExchange: names.rest(queue),
  });
  for (const name of laneNames(names, queue, count)) await assertQueue(channel, name, lane);
  await channel.bindQueue(names.forget, names.known, knownLanesKey(queue, count));
}

/** Sends what goes to the lanes of the queue to the present ones (0: to the queue itself), and to no earlier ones. */
async function route(
  channel: Channel,
  names: Names,
  {
    queue,
    count,
    earlier,
  }: { readonly queue: string; readonly count: number; readonly earlier: readonly number[] },
): Promise<void> {
  const exchange = names.lanes(queue);
  const everything = { 'x-match': 'all' };
  const choose = (index: number, of: number): Readonly<Record<string, string | number>> =>
    of === 1 ? everything : { ...everything, [laneHeader(of)]: index };
  for (const [index, name] of laneNames(names, queue, count).entries()) {
    await channel.bindQueue(name, exchange, '', choose(index, count));
  }
  if (count === 0) await channel.bindQueue(names.queue(queue), exchange, '', everything);
  else await channel.unbindQueue(names.queue(queue), exchange, '', everything);
  for (const other of earlier) {
    for (const [index, name] of laneNames(names, queue, other).entries()) {
      await channel.unbindQueue(name, exchange, '', choose(index, other));
    }
  }
}

/** What is bound in the exchange of known lanes once a queue has had so many of them. */
export function knownLanesKey(queue: string, count: number): string {
  return `${queue}|${count}`;
}

/** Makes the exchanges exist that `declareQueue` needs, with the queue that keeps nothing. */
export async function declareShared(model: ChannelModel, names: Names): Promise<void> {
  await onThrowAwayChannel(model, async (channel) => {
    await assertExchange(channel, names.events, { type: 'topic' });
    await assertExchange(channel, names.known, { type: 'direct' });
    await assertQueue(channel, names.forget, { ...quorum, 'x-max-length': 0 });
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
    // `open` is changed by the listener above. Behind a call without an answer this one has none either.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    if (open) await inTime(channel.close(), 'A channel cannot be closed').catch(() => undefined);
  }
}

async function assertQueue(channel: Channel, name: string, args: Arguments): Promise<void> {
  try {
    const declaring = channel.assertQueue(name, { durable: true, arguments: args });
    await inTime(declaring, `The queue ${name} cannot be declared`);
  } catch (error) {
    throw toDeclareError('queue', name, error);
  }
}

async function assertExchange(
  channel: Channel,
  name: string,
  { type, ...options }: { readonly type: string; readonly alternateExchange?: string },
): Promise<void> {
  try {
    await channel.assertExchange(name, type, { durable: true, ...options });
  } catch (error) {
    throw toDeclareError('exchange', name, error);
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
