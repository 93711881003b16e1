import type { ControlStatus } from '../../console/api/control.ts';
import { Condition } from '../../runtime/condition.ts';

const running: ControlStatus = { processes: [], interfaces: [], listeners: [], senders: [] };
const start = Date.parse('2026-11-22T03:00:00.000Z');

function open(broker: 'embedded' | 'rabbitmq' = 'rabbitmq', { isSpooled = false } = {}) {
  let now = start;
  const condition = new Condition({ broker, isSpooled, clock: () => now });
  return {
    condition,
    after: (ms: number) => (now = start + ms),
    problems: (status: Partial<ControlStatus> = {}) =>
      condition.problems({ ...running, ...status }).map(({ code, since }) => [code, since]),
  };
}

it('is without problems while everything runs', () => {
  const { condition, problems } = open();
  condition.connection('edge', 'connected');
  expect(problems()).toEqual([]);
});

it('tells an alarm of RabbitMQ, another password and an outage apart, each since when', () => {
  const { condition, after, problems } = open();
  condition.connection('edge', 'blocked');
  after(1_000);
  condition.connection('edge', 'blocked');
  expect(problems()).toEqual([['broker-blocked', '2026-11-22T03:00:00.000Z']]);
  condition.connection('edge', 'disconnected');
  expect(problems()).toEqual([['broker-unavailable', '2026-11-22T03:00:01.000Z']]);
  after(2_000);
  condition.connection('edge', 'refused');
  expect(problems()).toEqual([['broker-access-refused', '2026-11-22T03:00:02.000Z']]);
  expect(condition.problems(running)[0]?.message).toMatch(/RABBITMQ_URL/);
  condition.connection('edge', 'connected');
  expect(problems()).toEqual([]);
});

it('names every process that is in the same state, in one problem', () => {
  const { condition } = open();
  for (const name of ['console', 'edge', 'worker default']) condition.connection(name, 'blocked');
  const [only, ...others] = condition.problems(running);
  expect(only?.message).toContain('(console, edge, worker default)');
  expect(others).toEqual([]);
});

it('says why the data file is not written, since the first failure', () => {
  const { condition, after, problems } = open('embedded');
  condition.storage({ reason: 'The disk is full.' });
  after(5_000);
  condition.storage({ reason: 'It cannot be read.' });
  expect(condition.problems(running)).toEqual([
    {
      part: 'ledger',
      code: 'data-file-not-written',
      message: 'It cannot be read.',
      since: '2026-11-22T03:00:00.000Z',
    },
  ]);
  condition.storage({ reason: undefined });
  expect(problems()).toEqual([]);
});

it('names processes, listeners and senders that do not run', () => {
  const { condition } = open();
  const endpoint = { id: 'n', interface: 'lab', queue: 'q' };
  const found = condition.problems({
    ...running,
    processes: [{ role: 'edge', state: 'restarting', reason: 'ended with code 1', since: 's' }],
    listeners: [
      {
        ...endpoint,
        label: 'From the lab',
        host: 'h',
        port: 1,
        isTls: false,
        state: 'failed',
        reason: 'the port is used',
      },
    ],
    senders: [{ ...endpoint, label: 'To the EHR', target: 't', state: 'starting' }],
  });
  expect(found.map(({ message }) => message)).toEqual([
    'The process edge is restarting: ended with code 1.',
    'The listener "From the lab" is failed: the port is used.',
    'The sender "To the EHR" is starting.',
  ]);
});

it('takes messages while RabbitMQ is away where they are kept here meanwhile', () => {
  const { condition, problems } = open('rabbitmq', { isSpooled: true });
  condition.connection('edge', 'connected');
  expect(condition.isSpooling).toBe(false);
  condition.connection('edge', 'disconnected');
  expect(condition.isSpooling).toBe(true);
  expect(problems()).toEqual([]);
});
