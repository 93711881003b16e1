import { openShippedMapper, toParsed } from './support.ts';

const mapper = openShippedMapper();

function mapPatient(pid: string): { url: string; codes: readonly string[] } {
  const header = 'MSH|^~\\&|APP|LAB|EHR|EHR|20260102093000+0100||ORU^R01|M1|P|2.5.1';
  const { resource, issues } = mapper.map(toParsed(`${header}\r${pid}`));
  const entry = resource?.entry?.find((one) => one.resource?.resourceType === 'Patient');
  return { url: entry?.request?.url ?? '', codes: issues.map(({ code }) => code) };
}

const toUrl = (pid: string): string => mapPatient(pid).url;
const derived = /^Patient\?identifier=urn%3Ahilum%3Apatient%7C[0-9a-f-]{36}$/;
const ssn = (identifier: string, number = '000-00-0000'): string =>
  `PID|1||${identifier}||Low^Al||||||||||||||${number}`;

describe('which identifier a patient is found by', () => {
  test.each([
    ['MR', 'S9^^^H^AN~S8^^^H^PI~S7^^^H^MR', 'S7'],
    ['PI without MR', 'S9^^^H^PT~S8^^^H^PI', 'S8'],
    ['PT before one without a type', 'S9^^^H~S8^^^H^PT', 'S8'],
    ['the first without a type', 'S9^^^H^AN~S8^^^H~S7^^^H', 'S8'],
    ['MR, whatever PID-19 says', 'S7^^^H^MR', 'S7'],
  ])('%s', (_name, identifiers, value) => {
    expect(toUrl(ssn(identifiers))).toBe(`Patient?identifier=urn%3Aid%3AH%7C${value}`);
  });

  test('one without a type is used rather than PID-19, so two with one placeholder stay two', () => {
    expect(toUrl(ssn('S1'))).toBe('Patient?identifier=urn%3Aid%3ALAB%7CS1');
    expect(toUrl(ssn('S2'))).toBe('Patient?identifier=urn%3Aid%3ALAB%7CS2');
  });

  test.each(['AN', 'MC', 'SS', 'VN'])('%s alone is a key of all its parts', (type) => {
    const url = toUrl(`PID|1||S6^^^H^${type}||Low^Al`);
    expect(url).toMatch(derived);
    expect(toUrl(`PID|1||S6^^^H^${type}||Low^Al||19700101`)).toBe(url);
    const others = ['MR', 'XX', ''].map((other) => toUrl(`PID|1||S6^^^H^${other}`));
    expect([
      ...others,
      toUrl(`PID|1||S6^^^J^${type}`),
      toUrl(`PID|1||S5^^^H^${type}`),
    ]).not.toContain(url);
  });

  test('without PID-3 the fields that follow are keys, each its own', () => {
    const pids = [
      'PID|1|7',
      'PID|1|||7',
      `PID|1||||Low^Al${'|'.repeat(13)}7`,
      `PID|1||||Low^Al${'|'.repeat(14)}7`,
    ];
    const urls = pids.map(toUrl);
    for (const url of urls) expect(url).toMatch(derived);
    expect(new Set(urls).size).toBe(4);
    expect(pids.flatMap((pid) => mapPatient(pid).codes)).toEqual([]);
  });

  test('an authority without a number identifies nobody', () => {
    const { url, codes } = mapPatient('PID|1||^^^H^MR||Low^Al');
    expect(url).toMatch(derived);
    expect(codes).toEqual(['patient-without-identifier']);
  });

  test('without any identifier only a redelivery is the same, and a warning says so', () => {
    const { url, codes } = mapPatient('PID|1||||Low^Al');
    expect(codes).toEqual(['patient-without-identifier']);
    expect(toUrl('PID|1||||Low^Al')).toBe(url);
    expect(toUrl('PID|1||||Low^Bo')).not.toBe(url);
  });

  test('two without any identifier in one message are two', () => {
    const header = 'MSH|^~\\&|APP|LAB|||20260102093000+0100||ORU^R01|M1|P|2.5.1';
    const message = toParsed([header, 'PID|1||||Low^Al', 'PID|2||||Low^Bo'].join('\r'));
    const { resource, issues } = mapper.map(message);
    const patients = resource?.entry?.filter((one) => one.resource?.resourceType === 'Patient');
    expect(patients).toHaveLength(2);
    expect(issues.map(({ location }) => location)).toEqual(['PID-3', 'PID[2]-3']);
  });
});
