import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decideAcknowledgment,
  type IntakeResult,
} from '../../../core/hl7v2/acknowledgment-mode.ts';
import type { AcknowledgmentMode } from '../../../core/hl7v2/acknowledgment-settings.ts';
import { readHeader, type Header } from '../../../core/hl7v2/header.ts';

function headerOf({ accept = '', application = '', type = 'ORU^R01', version = '2.5.1' }): Header {
  const read = readHeader(
    `MSH|^~\\&|LAB|NORTH|EHR|CLINIC|2026||${type}|M1|P|${version}|||${accept}|${application}`,
  );
  if (!read.ok) throw new Error('no header');
  return read.header;
}

const results: readonly IntakeResult[] = ['accepted', 'error', 'rejected', 'failed'];

function decideAll(
  header: Header | undefined,
  mode: AcknowledgmentMode,
  {
    application = 'receiver',
    isResponse = false,
  }: Partial<Pick<Parameters<typeof decideAcknowledgment>[0], 'application' | 'isResponse'>> = {},
): string {
  return results
    .map((result) => {
      const decision = decideAcknowledgment({ header, mode, application, result, isResponse });
      const later = decision.later === undefined ? '' : `(${decision.later})`;
      return `${decision.now.join('+') || '-'}${later}`;
    })
    .join(' ');
}

/** MSH-15, MSH-16, and what is sent when accepted, in error, rejected, and failed to be stored. */
const table = [
  ['', '', 'AA AE AR AR'],
  ['', 'AL', 'AA AE AR AR'],
  ['', 'NE', '- - - -'],
  ['', 'ER', '- AE AR AR'],
  ['', 'SU', 'AA - - -'],
  ['AL', '', 'CA CE CR CE'],
  ['AL', 'AL', 'CA+AA CE CR CE'],
  ['AL', 'NE', 'CA CE CR CE'],
  ['AL', 'ER', 'CA CE CR CE'],
  ['AL', 'SU', 'CA+AA CE CR CE'],
  ['NE', '', '- - - -'],
  ['NE', 'AL', 'AA AE AR AR'],
  ['NE', 'NE', '- - - -'],
  ['NE', 'ER', '- AE AR AR'],
  ['NE', 'SU', 'AA - - -'],
  ['ER', '', '- CE CR CE'],
  ['ER', 'AL', 'AA CE CR CE'],
  ['ER', 'NE', '- CE CR CE'],
  ['ER', 'ER', '- CE CR CE'],
  ['ER', 'SU', 'AA CE CR CE'],
  ['SU', '', 'CA - - -'],
  ['SU', 'AL', 'CA+AA AE AR AR'],
  ['SU', 'NE', 'CA - - -'],
  ['SU', 'ER', 'CA AE AR AR'],
  ['SU', 'SU', 'CA+AA - - -'],
] as const;

describe('a message is acknowledged by its MSH-15 and MSH-16', () => {
  it.each(table)('"%s" and "%s": %s', (accept, application, expected) => {
    expect(decideAll(headerOf({ accept, application }), 'by-message')).toBe(expected);
  });

  it.each([
    ['""', '""', 'AA AE AR AR'],
    ['""', 'NE', '- - - -'],
    [' NE ', 'NE', '- - - -'],
    ['XX', 'NE', 'CA CE CR CE'],
    ['al', 'NE', 'CA CE CR CE'],
  ])(
    'a null is empty, and an unknown code stands for AL: %s and %s',
    (accept, application, expected) => {
      expect(decideAll(headerOf({ accept, application }), 'by-message')).toBe(expected);
    },
  );

  it('but in original mode where its version has no other', () => {
    const old = headerOf({ accept: 'NE', application: 'NE', version: '2.1' });
    expect(decideAll(old, 'by-message')).toBe('AA AE AR AR');
    const next = headerOf({ accept: 'NE', application: 'NE', version: '2.2' });
    expect(decideAll(next, 'by-message')).toBe('- - - -');
  });

  it('in original mode where it has no header', () => {
    expect(decideAll(undefined, 'by-message')).toBe('AA AE AR AR');
  });
});

describe('the documentation', () => {
  it('has the same table', () => {
    const page = readFileSync(
      join(import.meta.dirname, '../../../docs/acknowledgments.md'),
      'utf8',
    );
    const rows = [
      ...page.matchAll(/^\| (empty|[A-Z]{2}) *\| (empty|[A-Z]{2}) *\| (.+?) *\| (.+?) *\|$/gm),
    ];
    expect(rows).toHaveLength(17);
    for (const [, accept = '', application = '', taken, refused] of rows) {
      const header = headerOf({
        accept: accept.replace('empty', ''),
        application: application.replace('empty', ''),
      });
      const [accepted = '', error = '', rejected = ''] = decideAll(header, 'by-message').split(' ');
      expect([
        accepted.replace('+', ' then ').replace('-', 'nothing'),
        error === '-' ? 'nothing' : `${error} or ${rejected}`,
      ]).toEqual([taken, refused]);
    }
  });
});

describe('an interface may decide otherwise', () => {
  it.each(table)('always original, for "%s" and "%s" too', (accept, application) => {
    expect(decideAll(headerOf({ accept, application }), 'original')).toBe('AA AE AR AR');
  });

  it.each(table)('never, for "%s" and "%s" too', (accept, application) => {
    expect(decideAll(headerOf({ accept, application }), 'never')).toBe('- - - -');
  });

  it.each(table)(
    'always enhanced, an empty MSH-15 being AL: "%s" and "%s"',
    (accept, application) => {
      const asked = table.find(
        ([first, second]) => first === (accept || 'AL') && second === application,
      );
      expect(decideAll(headerOf({ accept, application }), 'enhanced')).toBe(asked?.[2]);
    },
  );
});

describe('an application acknowledgment that is left to the flow', () => {
  it.each([
    ['', '', 'AA AE AR AR'],
    ['', 'AL', '-(AL) AE AR AR'],
    ['NE', 'ER', '-(ER) AE AR AR'],
    ['AL', 'AL', 'CA(AL) CE CR CE'],
    ['AL', 'SU', 'CA(SU) CE CR CE'],
    ['AL', 'NE', 'CA CE CR CE'],
    ['SU', 'AL', 'CA(AL) AE AR AR'],
  ])('comes later for what was accepted: "%s" and "%s"', (accept, application, expected) => {
    const header = headerOf({ accept, application });
    expect(decideAll(header, 'by-message', { application: 'flow' })).toBe(expected);
  });
});

describe('what answers another message', () => {
  it.each([
    ['', '- - - -'],
    ['NE', '- - - -'],
    ['AL', 'CA CE CR CE'],
    ['ER', '- CE CR CE'],
    ['SU', 'CA - - -'],
  ])('has at most the accept acknowledgment that it asks for: "%s"', (accept, expected) => {
    for (const application of ['', 'AL', 'NE', 'ER', 'SU']) {
      const header = headerOf({ accept, application, type: 'RSP^K11' });
      expect(decideAll(header, 'by-message', { isResponse: true })).toBe(expected);
      expect(decideAll(header, 'enhanced', { isResponse: true })).toBe(expected);
      expect(decideAll(header, 'original', { isResponse: true })).toBe('- - - -');
    }
  });

  it.each(['ACK^R01^ACK', 'ACK', 'MCF', 'NAK'])('is never acknowledged as %s', (type) => {
    for (const mode of ['by-message', 'original', 'enhanced', 'never'] as const) {
      const header = headerOf({ accept: 'AL', application: 'AL', type });
      expect(decideAll(header, mode)).toBe('- - - -');
      expect(decideAll(header, mode, { isResponse: true })).toBe('- - - -');
    }
  });
});
