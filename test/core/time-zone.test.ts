import { isTimeZone } from '../../core/time-zone.ts';

test.each(['+01:00', '-12:30', '+14:00', '+0100', '+01', 'UTC', 'Europe/Berlin'])(
  '%s is a zone',
  (text) => {
    expect(isTimeZone(text)).toBe(true);
  },
);

test.each(['', '+14:01', '+14:59', '+15:00', '-23:00', '+1', '+01:60', 'GMT+1', 'Berlin'])(
  '%j is none that FHIR can state',
  (text) => {
    expect(isTimeZone(text)).toBe(false);
  },
);
