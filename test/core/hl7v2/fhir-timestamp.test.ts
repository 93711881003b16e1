import fc from 'fast-check';
import {
  formatTimestamp,
  fromFhirDateTime,
  fromFhirTime,
  parseFhirDateTime,
} from '../../../core/hl7v2/fhir-timestamp.ts';
import {
  convertDateTime,
  limitPrecision,
  parseTimestamp,
  toFhirDateTime,
} from '../../../core/hl7v2/timestamp.ts';

describe('a FHIR date, dateTime or instant becomes HL7', () => {
  it.each([
    ['2024', '2024'],
    ['2024-02', '202402'],
    ['2024-02-29', '20240229'],
    ['2024-01-01T12:00Z', '202401011200+0000'],
    ['2024-01-01T12:00:00Z', '20240101120000+0000'],
    ['2024-01-01T12:00:00.123-05:00', '20240101120000.123-0500'],
    ['2024-01-01T12:00:00.1200+05:30', '20240101120000.1200+0530'],
    ['2024-01-01T00:00:00-00:00', '20240101000000-0000'],
    ['2024-01-01T00:00:00+14:00', '20240101000000+1400'],
  ])('with the same precision: %s', (text, expected) => {
    expect(fromFhirDateTime(text)).toEqual({ text: expected, loss: undefined });
  });

  it.each([
    ['2024-01-01T12:00:00.123456Z', '20240101120000.1234+0000'],
    ['2024-01-01T12:00:00.99999Z', '20240101120000.9999+0000'],
    ['2024-01-01T12:00:00.12340Z', '20240101120000.1234+0000'],
  ])('and says where digits are cut: %s', (text, expected) => {
    expect(fromFhirDateTime(text)).toEqual({ text: expected, loss: 'fraction-cut' });
  });

  it.each([
    ...[
      '',
      '24',
      '2024-1',
      '2024-13',
      '2024-00-01',
      '2023-02-29',
      '0000',
      '20240101',
      '2024-01-01T',
    ],
    ...['2024-01-01T12', '2024-01-01T12Z', '2024-01-01T12:00:00', '2024-01-01T24:00:00Z'],
    ...['2024-01-01T12:00:60Z', '2024-01-01T12:00:00.Z', '2024-01-01T12:00:00+14:01'],
    ...['2024-01-01T12:00:00+0100', '2024-01-01t12:00:00z', ' 2024', '2024-01-01T12:00:00+01:60'],
  ])('but nothing else does: "%s"', (text) => {
    expect(fromFhirDateTime(text)).toBeUndefined();
  });
});

describe('a FHIR time becomes HL7', () => {
  it.each([
    ['12:34:56', '123456', undefined],
    ['00:00:00.5', '000000.5', undefined],
    ['00:00:00.123456', '000000.1234', 'fraction-cut'],
  ])('%s', (text, expected, loss) => {
    expect(fromFhirTime(text)).toEqual({ text: expected, loss });
  });

  it.each(['', '12', '12:34', '24:00:00', '12:60:00', '12:00:60', '12:00:00Z', '12:00:00.'])(
    'but nothing else does: "%s"',
    (text) => {
      expect(fromFhirTime(text)).toBeUndefined();
    },
  );
});

describe('what FHIR cannot say is told', () => {
  it.each([
    ['2024', undefined, '2024', undefined],
    ['20240101', undefined, '2024-01-01', undefined],
    ['2024010112', '+01:00', '2024-01-01', 'minutes-missing'],
    ['202401011200', undefined, '2024-01-01', 'offset-missing'],
    ['202401011200', '+01:00', '2024-01-01T12:00:00+01:00', 'seconds-filled'],
    ['20240101120000', '+01:00', '2024-01-01T12:00:00+01:00', undefined],
    ['20260329023000', 'Europe/Berlin', '2026-03-29', 'offset-ambiguous'],
    ['20240101120000-0000', undefined, '2024-01-01T12:00:00-00:00', undefined],
  ])('%s in %s', (text, zone, expected, loss) => {
    expect(convertDateTime(parseTimestamp(text)!, zone)).toEqual({ text: expected, loss });
  });
});

describe('the degree of precision of TS.2', () => {
  it.each([
    ['20240101000000', 'Y', '2024'],
    ['20240101000000', 'L', '202401'],
    ['20240101000000+0100', 'D', '20240101'],
    ['20240101120000+0100', 'H', '2024010112+0100'],
    ['20240101123400.0000', 'M', '202401011234'],
    ['20240101123456.78', 'S', '20240101123456.78'],
    ['2024', 'S', '2024'],
    ['202401', 'D', '202401'],
    ['20240101', '', '20240101'],
    ['20240101', 'X', '20240101'],
    ['20240101', 'YL', '20240101'],
  ])('limits %s^%s', (text, degree, expected) => {
    const limited = limitPrecision(parseTimestamp(text)!, degree);
    expect(limited).toEqual(parseTimestamp(expected));
  });
});

describe('laws', () => {
  const two = (max: number, min = 0) =>
    fc.integer({ min, max }).map((number) => String(number).padStart(2, '0'));
  const offsets = fc
    .tuple(fc.constantFrom('+', '-'), two(11), two(59))
    .map(([sign, hours, minutes]) => `${sign}${hours}${minutes}`);
  const parts = fc.tuple(
    fc.integer({ min: 1, max: 9999 }).map((year) => String(year).padStart(4, '0')),
    two(12, 1),
    two(28, 1),
    two(23),
    two(59),
    two(59),
  );
  const fractions = fc.stringMatching(/^(?:\.\d{1,4})?$/);

  it('an HL7 timestamp written again is the same text', () => {
    fc.assert(
      fc.property(parts, fractions, offsets, fc.nat(6), (all, fraction, offset, count) => {
        const digits = all.slice(0, Math.max(1, count)).join('');
        const isTime = count >= 4;
        const text = `${digits}${count === 6 ? fraction : ''}${isTime ? offset : ''}`;
        expect(formatTimestamp(parseTimestamp(text)!)).toEqual({ text, loss: undefined });
      }),
      { seed: 24, numRuns: 1_000 },
    );
  });

  it('a date, or a time with seconds and an offset, is the same text after FHIR', () => {
    fc.assert(
      fc.property(parts, fractions, offsets, fc.nat(3), (all, fraction, offset, count) => {
        const text =
          count === 0 ? `${all.join('')}${fraction}${offset}` : all.slice(0, count).join('');
        const fhir = toFhirDateTime(parseTimestamp(text)!);
        expect(fromFhirDateTime(fhir)).toEqual({ text, loss: undefined });
        expect(parseFhirDateTime(fhir)).toEqual(parseTimestamp(text));
      }),
      { seed: 24, numRuns: 1_000 },
    );
  });
});
