import fc from 'fast-check';
import {
  parseTimestamp,
  toFhirDate,
  toFhirDateTime,
  toFhirInstant,
  toHl7Timestamp,
} from '../../../core/hl7v2/timestamp.ts';

const read = (text: string) => parseTimestamp(text)!;

describe('a timestamp', () => {
  it.each([
    ['2026', 'year', '2026', '2026', undefined],
    ['202603', 'month', '2026-03', '2026-03', undefined],
    ['20260312', 'day', '2026-03-12', '2026-03-12', undefined],
    ['2026031214', 'hour', '2026-03-12', '2026-03-12', undefined],
    ['2026031214+0100', 'hour', '2026-03-12', '2026-03-12', undefined],
    ['202603121425', 'minute', '2026-03-12', '2026-03-12', undefined],
    ['202603121425+0100', 'minute', '2026-03-12', '2026-03-12T14:25:00+01:00', undefined],
    ['20260312142530', 'second', '2026-03-12', '2026-03-12', undefined],
    [
      '20260312142530-0500',
      'second',
      '2026-03-12',
      '2026-03-12T14:25:30-05:00',
      '2026-03-12T14:25:30-05:00',
    ],
    [
      '20260312000000+0000',
      'second',
      '2026-03-12',
      '2026-03-12T00:00:00+00:00',
      '2026-03-12T00:00:00+00:00',
    ],
    [
      '20260312142530.1+0530',
      'fraction',
      '2026-03-12',
      '2026-03-12T14:25:30.1+05:30',
      '2026-03-12T14:25:30.1+05:30',
    ],
    [
      '20260312142530.1200+0100',
      'fraction',
      '2026-03-12',
      '2026-03-12T14:25:30.1200+01:00',
      '2026-03-12T14:25:30.1200+01:00',
    ],
    ['20240229', 'day', '2024-02-29', '2024-02-29', undefined],
  ])('keeps its precision: %s', (text, precision, date, dateTime, instant) => {
    const timestamp = read(text);
    expect(timestamp.precision).toBe(precision);
    expect(toFhirDate(timestamp)).toBe(date);
    expect(toFhirDateTime(timestamp)).toBe(dateTime);
    expect(toFhirInstant(timestamp)).toBe(instant);
  });

  it.each([
    '',
    '26',
    '20261',
    '202613',
    '202600',
    '20260230',
    '20230229',
    '20260432',
    '2026031',
    '2026031224',
    '202603121460',
    '20260312142560',
    '20260312142530.',
    '20260312142530.12345',
    '2026031214253.1',
    '20260312+0100',
    '2026+0100',
    '202603121425+1500',
    '202603121425-1300',
    '202603121425+0160',
    '202603121425+01',
    '202603121425Z',
    '2026-03-12',
    ' 20260312',
    '20260312 ',
    '20260312T1425',
    '٢٠٢٦',
  ])('is refused: "%s"', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it('says what was given and nothing else', () => {
    expect(parseTimestamp('202603')).toEqual({ precision: 'month', year: '2026', month: '03' });
    expect(parseTimestamp('20260312142530.50-0330')).toEqual({
      precision: 'fraction',
      year: '2026',
      month: '03',
      day: '12',
      hour: '14',
      minute: '25',
      second: '30',
      fraction: '50',
      offset: '-03:30',
    });
  });

  it.each([
    ['202601151200', '+02:00', '2026-01-15T12:00:00+02:00'],
    ['202601151200', 'Europe/Berlin', '2026-01-15T12:00:00+01:00'],
    ['202607151200', 'Europe/Berlin', '2026-07-15T12:00:00+02:00'],
    ['202601151200', 'America/St_Johns', '2026-01-15T12:00:00-03:30'],
    ['202601151200', 'UTC', '2026-01-15T12:00:00+00:00'],
    ['202601151200-0500', 'Europe/Berlin', '2026-01-15T12:00:00-05:00'],
    ['202603290130', 'Europe/Berlin', '2026-03-29T01:30:00+01:00'],
    ['202603290300', 'Europe/Berlin', '2026-03-29T03:00:00+02:00'],
    // The clock jumped over this time.
    ['202603290230', 'Europe/Berlin', '2026-03-29'],
    // The clock showed this time twice.
    ['202610250230', 'Europe/Berlin', '2026-10-25'],
    ['20260115', 'Europe/Berlin', '2026-01-15'],
  ])('takes the offset of a site that sends none: %s in %s', (text, zone, expected) => {
    expect(toFhirDateTime(read(text), zone)).toBe(expected);
  });

  it('is written in UTC with milliseconds', () => {
    expect(toHl7Timestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 67))).toBe('20260102030405.067+0000');
  });

  it('read back is the point in time that was written', () => {
    const times = fc.date({
      min: new Date('1000-01-01'),
      max: new Date('9999-01-01'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, (time) => {
        const instant = toFhirInstant(read(toHl7Timestamp(time.getTime())));
        return new Date(instant!).getTime() === time.getTime();
      }),
    );
  });

  it('in a zone names the same point in time as that zone’s clock', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
    );
    const times = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2030, 0) });
    fc.assert(
      fc.property(zones, times, (zone, at) => {
        const time = Math.floor(at / 1000) * 1000;
        const clock = new Intl.DateTimeFormat('sv-SE', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'medium',
        });
        const local = clock.format(time).replaceAll(/\D/g, '');
        const dateTime = toFhirDateTime(read(local), zone);
        return !dateTime.includes('T') || Date.parse(dateTime) === time;
      }),
      { numRuns: 300 },
    );
  });
});
