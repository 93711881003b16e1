import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { Logger } from '../../../core/ports/logger.ts';
import type { AlarmLimits } from '../../../runtime/alarm/limits.ts';
import { AlarmWatch } from '../../../runtime/alarm/watch.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { buildMessage, OwnerHere } from '../owner.ts';
import { startReceiver, type AlarmReceiver } from './receiver.ts';

const queue = 'in.lab';
const minuteMs = 60_000;

let here: OwnerHere;
let owner: OwnerClient;
let receiver: AlarmReceiver;
let file: string;
let now: number;
let limits: AlarmLimits;
let logged: string[];
const watches: AlarmWatch[] = [];

const logger: Logger = {
  debug: () => undefined,
  info: (fields, message) => void logged.push(`info ${message} ${JSON.stringify(fields)}`),
  warn: (fields, message) => void logged.push(`warn ${message} ${JSON.stringify(fields)}`),
  error: (fields, message) => void logged.push(`error ${message} ${JSON.stringify(fields)}`),
};

beforeEach(async () => {
  here = new OwnerHere();
  await here.open();
  owner = await here.connect();
  receiver = await startReceiver();
  file = path.join(makeTempFolder('alarms'), 'alarms.json');
  now = Date.parse('2026-11-22T03:00:00.000Z');
  limits = { backlog: 2 };
  logged = [];
  await owner.broker.declare({ name: queue, interface: 'lab' });
});

afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.stop();
  await receiver.close();
  await here.close();
});

async function open(address: object = {}): Promise<AlarmWatch> {
  let ids = 0;
  const watch = await AlarmWatch.open({
    broker: owner.broker,
    ledger: owner.ledger,
    logger,
    clock: () => now,
    newId: () => `alarm-${(ids += 1)}`,
    watched: () => ({
      definitions: {
        listeners: [{ interface: 'lab' }] as never,
        queues: [{ name: queue, interface: 'lab' }],
      },
      limitsOf: () => limits,
      names: {
        interfaces: new Map([['lab', 'Lab results']]),
        queues: new Map([[queue, 'From the lab']]),
      },
    }),
    address: { url: receiver.url, ...address },
    file,
    // The tests look by themselves.
    everyMs: 3_600_000,
    delayMs: () => 10,
  });
  watches.push(watch);
  watch.start();
  return watch;
}

async function looks(watch: AlarmWatch, count: number): Promise<void> {
  for (let look = 0; look < count; look += 1) await watch.look();
}

async function queueUp(count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) {
    const receivedAt = new Date(now).toISOString();
    const envelope = buildMessage(`C${each}`, { receivedAt });
    await owner.broker.publish(queue, envelope);
    const event = { messageId: envelope.id, at: receivedAt };
    await owner.ledger.append([
      { type: 'message', envelope },
      { type: 'event', event: { ...event, kind: 'received' } },
      { type: 'event', event: { ...event, kind: 'queued', queue } },
    ]);
  }
}

/** Takes everything out of the queue, as a flow that is through with it. */
async function empty(): Promise<void> {
  let left = (await owner.broker.depths())[0]?.ready ?? 0;
  const taken = Promise.withResolvers<undefined>();
  const consumer = await owner.broker.consume(queue, { window: 8 }, (delivery) => {
    const { id: messageId } = delivery.envelope;
    const at = new Date(now).toISOString();
    const event = { messageId, kind: 'processed' as const, at, queue };
    void delivery.accept([], [{ type: 'event', event }]).then(() => {
      if ((left -= 1) === 0) taken.resolve(undefined);
    });
  });
  await taken.promise;
  await consumer.stop();
}

it('tells the receiver once when a backlog starts and once when it ends, with names and figures alone', async () => {
  const watch = await open();
  await queueUp(3);
  await looks(watch, 5);
  await receiver.received(1);
  await empty();
  now += minuteMs;
  await looks(watch, 5);
  await receiver.received(2);
  const [started, ended] = receiver.posts.map(({ notification }) => notification);
  expect(started).toEqual({
    product: 'hilum',
    event: 'started',
    id: 'alarm-1',
    kind: 'backlog',
    interface: 'lab',
    interfaceLabel: 'Lab results',
    queue,
    label: 'From the lab',
    since: '2026-11-22T03:00:00.000Z',
    at: '2026-11-22T03:00:00.000Z',
    value: 3,
    limit: 2,
    unit: 'messages',
    message: '"Lab results", From the lab: 3 messages wait (limit 2).',
  });
  expect(ended).toMatchObject({
    event: 'ended',
    id: 'alarm-1',
    value: 0,
    since: '2026-11-22T03:00:00.000Z',
    at: '2026-11-22T03:01:00.000Z',
  });
  expect(receiver.posts).toHaveLength(2);
  expect(receiver.posts[0]?.headers['content-type']).toBe('application/json');
  expect(logged).toEqual([
    expect.stringMatching(/^warn Alarm: "Lab results", From the lab: 3 messages wait/),
    expect.stringMatching(/^info An alarm is over/),
  ]);
});

it('tells of the oldest that waits, in seconds', async () => {
  limits = { oldest: 15 * minuteMs };
  const watch = await open();
  await queueUp(1);
  await looks(watch, 3);
  now += 16 * minuteMs;
  await looks(watch, 2);
  await receiver.received(1);
  expect(receiver.posts[0]?.notification).toMatchObject({
    kind: 'oldest',
    value: 960,
    limit: 900,
    unit: 'seconds',
    message: '"Lab results", From the lab: the oldest waits for 16m (limit 15m).',
  });
});

describe('over a restart', () => {
  it('an alarm that stands is not raised again, and its end is told', async () => {
    const first = await open();
    await queueUp(3);
    await looks(first, 2);
    await receiver.received(1);
    await first.stop();
    const second = await open();
    await looks(second, 3);
    expect(second.view().standing).toMatchObject([{ id: 'alarm-1' }]);
    await empty();
    await looks(second, 2);
    await receiver.received(2);
    expect(receiver.posts.map(({ notification: { event, id } }) => `${event} ${id}`)).toEqual([
      'started alarm-1',
      'ended alarm-1',
    ]);
  });

  it('what the receiver did not take is told afterwards, in order', async () => {
    receiver.answer = 503;
    const first = await open();
    await queueUp(3);
    await looks(first, 2);
    await receiver.received(2);
    await first.stop();
    const refused = receiver.posts.length;
    receiver.answer = 204;
    await empty();
    const second = await open();
    await looks(second, 2);
    await receiver.received(refused + 2);
    const last = receiver.posts.slice(refused).map(({ notification }) => notification.event);
    expect(last).toEqual(['started', 'ended']);
    await second.stop();
    expect(second.view().receiver).toMatchObject({ pending: 0, dropped: 0 });
  });
});

describe('silence', () => {
  beforeEach(() => {
    limits = { silence: 30 * minuteMs };
  });

  it('starts when nothing is received and ends with the next message', async () => {
    const watch = await open();
    await queueUp(1);
    await looks(watch, 2);
    now += 31 * minuteMs;
    await looks(watch, 2);
    await receiver.received(1);
    expect(receiver.posts[0]?.notification.message).toBe(
      '"Lab results": nothing received for 31m (limit 30m).',
    );
    await queueUp(1);
    await looks(watch, 2);
    await receiver.received(2);
    expect(receiver.posts[1]?.notification.event).toBe('ended');
  });

  it('goes on while Hilum does not run', async () => {
    await queueUp(1);
    const first = await open();
    now += 20 * minuteMs;
    await looks(first, 1);
    await first.stop();
    now += 11 * minuteMs;
    const second = await open();
    await looks(second, 2);
    await receiver.received(1);
    expect(receiver.posts[0]?.notification).toMatchObject({ kind: 'silence', value: 31 * 60 });
  });
});

describe('the receiver', () => {
  it('is asked again until it takes a notification, and its absence is said once', async () => {
    receiver.answer = 503;
    const watch = await open();
    await queueUp(3);
    await looks(watch, 2);
    await receiver.received(4);
    expect(watch.view().receiver).toMatchObject({ pending: 1, reason: 'It answered 503.' });
    receiver.answer = 200;
    await receiver.received(5);
    await watch.stop();
    expect(watch.view().receiver).toMatchObject({ pending: 0, dropped: 0 });
    expect(logged.filter((line) => line.includes('takes no notification'))).toHaveLength(1);
    expect(logged.filter((line) => line.includes('takes notifications again'))).toHaveLength(1);
    expect(logged.join()).not.toContain('a-secret');
  });

  it('that refuses one for good gets the next', async () => {
    receiver.answer = 400;
    const watch = await open();
    await queueUp(3);
    await looks(watch, 2);
    await receiver.received(1);
    receiver.answer = 200;
    await empty();
    await looks(watch, 2);
    await receiver.received(2);
    expect(receiver.posts[1]?.notification.event).toBe('ended');
    expect(watch.view().receiver.dropped).toBe(1);
  });

  it('gets the token of a file that may change, and a redirection gets nothing', async () => {
    const tokenFile = path.join(path.dirname(file), 'token');
    writeFileSync(tokenFile, 'first\n');
    receiver.answer = 302;
    const watch = await open({ tokenFile });
    expect(await watch.test()).toEqual({
      taken: false,
      message: 'It answered 302. Set HILUM_ALARM_URL to where it points.',
    });
    writeFileSync(tokenFile, 'second\n');
    receiver.answer = 200;
    expect(await watch.test()).toEqual({ taken: true, message: 'It answered 200.' });
    expect(receiver.posts.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ]);
    expect(receiver.posts[1]?.notification.event).toBe('test');
  });

  it('that is not there is named by what it is', async () => {
    await receiver.close();
    const watch = await open();
    expect(await watch.test()).toEqual({
      taken: false,
      message: 'It was not reached: ECONNREFUSED.',
    });
    receiver = await startReceiver(receiver.port);
  });
});

it('goes out although what stands cannot be kept', async () => {
  file = path.join(makeTempFolder('alarms'), 'a-file', 'alarms.json');
  const watch = await open();
  writeFileSync(path.dirname(file), 'a file where a folder was expected');
  await queueUp(3);
  await looks(watch, 2);
  await receiver.received(1);
  expect(logged.some((line) => line.includes('could not be kept'))).toBe(true);
});

it('refuses to start on a file that it cannot read, and says what to do', async () => {
  writeFileSync(file, '{"standing":');
  await expect(open()).rejects.toThrow(/remove it/);
});
