import fc from 'fast-check';
import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();

/** Start, end and minutes of an appointment that starts at SCH-11.4 and takes SCH-9 in units of SCH-10. */
function toTimes(start: string, amount: string, unit: string) {
  const schedule = `SCH||B1^FL|||||||${amount}|${unit}|^^^${start}`;
  const header = 'MSH|^~\\&|S|C|E|E|20260102093000+0100||SIU^S12|M1|P|2.5.1';
  const { resource } = mapper.map(toParsed([header, schedule, 'PID|||C3||Low^Al'].join('\r')));
  const found = resource?.entry?.find((entry) => entry.resource?.resourceType === 'Appointment');
  const appointment = found?.resource as Record<string, unknown> | undefined;
  return [appointment?.['start'], appointment?.['end'], appointment?.['minutesDuration']];
}

test.each([
  ['202601100900', '30', 'min', '2026-01-10T09:00:00+01:00', '2026-01-10T09:30:00+01:00', 30],
  [
    '202601100900',
    '30',
    'MIN^Minutes^ISO+',
    '2026-01-10T09:00:00+01:00',
    '2026-01-10T09:30:00+01:00',
    30,
  ],
  ['202601100900', '1.5', 'h', '2026-01-10T09:00:00+01:00', '2026-01-10T10:30:00+01:00', 90],
  [
    '20260110090030',
    '90',
    's',
    '2026-01-10T09:00:30+01:00',
    '2026-01-10T09:02:00+01:00',
    undefined,
  ],
  ['202601312330-0500', '1', 'd', '2026-01-31T23:30:00-05:00', '2026-02-01T23:30:00-05:00', 1440],
  ['202601100900+0530', '15', 'min', '2026-01-10T09:00:00+05:30', '2026-01-10T09:15:00+05:30', 15],
])('what starts at %s and takes %s %s', (start, amount, unit, ...times) => {
  expect(toTimes(start, amount, unit)).toEqual(times);
});

test.each([
  ['a day without a time', '20260110', '30', 'min', 30],
  ['a duration without a unit', '202601100900', '30', '', undefined],
  ['a unit whose length varies', '202601100900', '1', 'mo', undefined],
  ['a unit that is not known', '202601100900', '1', 'shift', undefined],
  ['an amount that is no number', '202601100900', 'long', 'min', undefined],
])('%s has no end, and so no start', (_name, start, amount, unit, minutes) => {
  expect(toTimes(start, amount, unit)).toEqual([undefined, undefined, minutes]);
});

test('the end is as long after the start as the message says', () => {
  const day = fc.integer({ min: 10, max: 28 });
  const minutes = fc.integer({ min: 1, max: 100_000 });
  fc.assert(
    fc.property(day, minutes, (date, amount) => {
      const [start, end] = toTimes(`202602${date}1200`, String(amount), 'min');
      expect(Date.parse(String(end)) - Date.parse(String(start))).toBe(amount * 60_000);
    }),
  );
});
