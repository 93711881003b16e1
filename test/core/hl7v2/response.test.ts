import fc from 'fast-check';
import { readAcknowledgment } from '../../../core/hl7v2/acknowledgment.ts';
import { readHeader, type Header } from '../../../core/hl7v2/header.ts';
import {
  buildResponse,
  maxControlIdLength,
  type ResponseOptions,
} from '../../../core/hl7v2/response.ts';
import { findResponseType } from '../../../core/hl7v2/response-type.ts';
import type { Issue } from '../../../core/issue.ts';
import { parse } from './support.ts';

const base: ResponseOptions = { code: 'AA', now: '20260312142600.000+0000', controlId: 'H1' };
const missing: Issue = {
  code: 'required-field-missing',
  severity: 'error',
  location: 'PID-3',
  message: 'Expected a value',
};
const query =
  'MSH|^~\\&|APP|WARD|IIS|STATE|2026||QBP^Q11^QBP_Q11|Q\\T\\1|P|2.5.1|||AL|AL\rQPD|Z34^x^CDCPHINVS|1\r';

function toHeader(text: string): Header {
  const read = readHeader(text);
  if (!read.ok) throw new Error('no header');
  return read.header;
}

function lines(source: string, options: Partial<ResponseOptions>): readonly string[] {
  return buildResponse(toHeader(source), { ...base, ...options })
    .slice(0, -1)
    .split('\r');
}

describe('a response', () => {
  it('has the type that the query asks for, and the segments of the flow behind MSA', () => {
    const type = findResponseType('QBP', 'Q11', '2.5.1');
    expect(
      lines(query, { ...(type && { type }), segments: ['QAK|1|NF', 'QPD|Z34^x^CDCPHINVS|1'] }),
    ).toEqual([
      'MSH|^~\\&|IIS|STATE|APP|WARD|20260312142600.000+0000||RSP^K11^RSP_K11|H1|P|2.5.1',
      'MSA|AA|Q\\T\\1',
      'QAK|1|NF',
      'QPD|Z34^x^CDCPHINVS|1',
    ]);
  });

  it.each([
    ['2.1', 'ORR'],
    ['2.2', 'ORR^O02'],
    ['2.3', 'ORR^O02'],
    ['2.3.1', 'ORR^O02^ORR_O02'],
  ])('writes its type as version %s does', (version, expected) => {
    const order = `MSH|^~\\&|A|B|C|D|2026||ORM^O01|1|P|${version}`;
    const type = findResponseType('ORM', 'O01', version)!;
    expect(parse(buildResponse(toHeader(order), { ...base, type })).get('MSH-9')).toBe(expected);
  });

  it.each([
    ['2.1', 'MSA|AE|1|Expected a value'],
    ['2.2', 'MSA|AE|1|Expected a value|||101^Required field missing^HL70357'],
    ['2.4', 'MSA|AE|1|Expected a value|||101^Required field missing^HL70357'],
    ['2.5', 'MSA|AE|1|Expected a value'],
    ['2.6', 'MSA|AE|1|Expected a value'],
    ['2.7', 'MSA|AE|1'],
  ])('tells the first finding in the MSA of %s', (version, expected) => {
    const source = `MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|${version}`;
    expect(lines(source, { code: 'AE', issues: [missing] })[1]).toBe(expected);
  });

  it('tells the sequence number that is expected next', () => {
    expect(lines(query, { expectedSequenceNumber: 17 })[1]).toBe('MSA|AA|Q\\T\\1||17');
    expect(lines(query, { expectedSequenceNumber: -1 })[1]).toBe('MSA|AA|Q\\T\\1||-1');
  });

  it.each<[Partial<ResponseOptions>, string, string]>([
    [{ code: 'CA' }, '2.5.1', '|2.5.1|||NE|NE'],
    [{ code: 'CE', acceptAcknowledgment: 'AL' }, '2.5.1', '|2.5.1|||NE|NE'],
    [{ code: 'AA' }, '2.5.1', '|2.5.1'],
    [{ code: 'AA', acceptAcknowledgment: 'AL' }, '2.5.1', '|2.5.1|||AL|NE'],
    [{ code: 'AE', acceptAcknowledgment: 'NE' }, '2.2', '|2.2|||NE|NE'],
    [{ code: 'CA' }, '2.1', '|2.1'],
  ])('asks for no application acknowledgment: %j in %s', (options, version, expected) => {
    const [msh = ''] = lines(query.replace('2.5.1', version), options);
    expect(msh.slice(msh.lastIndexOf(`|${version}`))).toBe(expected);
  });

  it('keeps to whole characters where the text is too long', () => {
    const [, msa] = lines(query, { code: 'AE', text: `${'x'.repeat(79)}\u{1f9ea}\u{1f9ea}` });
    expect(msa).toBe(`MSA|AE|Q\\T\\1|${'x'.repeat(79)}\u{1f9ea}`);
  });

  it.each([
    ['2.1', 20],
    ['2.6', 20],
    ['2.7', 199],
    ['2.8.2', 199],
  ])('has a control id that %s has room for: %i', (version, length) => {
    expect(maxControlIdLength(version)).toBe(length);
  });
});

const marks = fc.uniqueArray(fc.constantFrom(...Array.from('|^~\\&#!@$%*;:/')), {
  minLength: 5,
  maxLength: 6,
});
const headers = fc
  .record({
    marks,
    fields: fc.array(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.constantFrom('', '""', 'A^B&C~D', '\\T\\', '\\', 'ORU^R01^ORU_R01', 'AL', '2.3'),
      ),
      { maxLength: 20 },
    ),
  })
  .map(({ marks: [field = '|', ...encoding], fields }) =>
    `MSH${field}${encoding.join('')}${field}${fields.join(field)}`.replaceAll(/[\r\n]/g, ' '),
  );

describe('any header', () => {
  it('is answered by a message that reads back with its delimiters and its control id', () => {
    fc.assert(
      fc.property(
        headers,
        fc.constantFrom('AA', 'AE', 'AR', 'CA', 'CE', 'CR'),
        fc.array(fc.constant(missing), { maxLength: 2 }),
        (source, code, issues) => {
          const read = readHeader(source);
          fc.pre(read.ok);
          const text = buildResponse(read.header, { ...base, code, issues });
          const answer = parse(text);
          expect(answer.delimiters).toEqual(read.header.delimiters);
          expect(readAcknowledgment(text)).toMatchObject({
            code,
            controlId: read.header.controlId,
          });
          const back = toHeader(text);
          expect([back.receivingApplication, back.sendingFacility]).toEqual([
            read.header.sendingApplication,
            read.header.receivingFacility,
          ]);
          expect(back.charsets).toBe(read.header.charsets);
        },
      ),
      { seed: 20_260_312, numRuns: 2_000 },
    );
  });
});
