import { Alarms, type Reading, type StandingAlarm } from '../../../runtime/alarm/alarms.ts';

const at = '2026-11-22T03:04:05.678Z';

function open(standing: readonly StandingAlarm[] = []): {
  readonly alarms: Alarms;
  readonly look: (...values: readonly (number | undefined)[]) => readonly string[];
} {
  let ids = 0;
  const alarms = new Alarms(standing, () => `a${(ids += 1)}`);
  return {
    alarms,
    // One look after the other; each as what changed with it.
    look: (...values) =>
      values.map((value) =>
        alarms
          .observe([reading(value)], at)
          .map(({ event, alarm }) => `${event} ${alarm.id} at ${alarm.value}`)
          .join(),
      ),
  };
}

function reading(value: number | undefined, changes: Partial<Reading> = {}): Reading {
  return { kind: 'backlog', interface: 'lab', queue: 'in.lab', value, limit: 100, ...changes };
}

it('starts once, when the limit is reached at two looks in a row, and ends once', () => {
  expect(open().look(99, 100, 100, 500, 80, 79, 10, 0)).toEqual([
    '',
    '',
    'started a1 at 100',
    '',
    '',
    '',
    'ended a1 at 10',
    '',
  ]);
});

it('is not raised by one look alone, nor ended by one', () => {
  expect(open().look(200, 0, 200, 200, 0, 200, 0, 0)).toEqual([
    '',
    '',
    '',
    'started a1 at 200',
    '',
    '',
    '',
    'ended a1 at 0',
  ]);
});

it('is one alarm while the figure swings about its limit', () => {
  expect(
    open()
      .look(100, 100, 90, 99, 85, 101, 80, 80)
      .filter((each) => each !== ''),
  ).toEqual(['started a1 at 100']);
});

it('learns nothing from what could not be measured', () => {
  const { look } = open();
  expect(look(100, undefined, 100)).toEqual(['', '', 'started a1 at 100']);
  expect(look(undefined, undefined, undefined, 0, undefined, 0)).toEqual([
    '',
    '',
    '',
    '',
    '',
    'ended a1 at 0',
  ]);
});

it('with a limit of one ends when there is none', () => {
  const alarms = new Alarms([], () => 'a1');
  const look = (value: number) =>
    alarms.observe([reading(value, { kind: 'dead', limit: 1 })], at).map(({ event }) => event);
  expect([1, 1, 2, 1, 0, 0].flatMap(look)).toEqual(['started', 'ended']);
});

it('that stood before a restart is not raised again, and its end is told', () => {
  const { standing } = openStanding();
  const { alarms, look } = open(standing);
  expect(look(150, 150, 150)).toEqual(['', '', '']);
  expect(alarms.standing()).toEqual([{ ...standing[0], value: 150 }]);
  expect(look(0, 0)).toEqual(['', 'ended before at 0']);
});

it('ends when it is not watched any more, and says so', () => {
  const { alarms } = open(openStanding().standing);
  expect(alarms.observe([], at)).toMatchObject([
    { event: 'ended', alarm: { id: 'before' }, isUnwatched: true },
  ]);
  expect(alarms.standing()).toEqual([]);
});

it('keeps queues, kinds and interfaces apart', () => {
  const { alarms } = open();
  const readings = [
    reading(100),
    reading(100, { kind: 'dead' }),
    reading(100, { queue: 'out.lab' }),
    reading(0, { interface: 'other', queue: 'in.other' }),
  ];
  alarms.observe(readings, at);
  expect(alarms.observe(readings, at).map(({ alarm }) => [alarm.kind, alarm.queue])).toEqual([
    ['backlog', 'in.lab'],
    ['dead', 'in.lab'],
    ['backlog', 'out.lab'],
  ]);
});

function openStanding(): { readonly standing: readonly [StandingAlarm] } {
  const { value: _value, ...rest } = reading(0);
  return { standing: [{ id: 'before', ...rest, value: 120, since: at }] };
}
