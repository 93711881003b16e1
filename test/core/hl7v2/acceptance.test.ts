import { findUnacceptable } from '../../../core/hl7v2/acceptance.ts';
import type { AcceptanceRules } from '../../../core/hl7v2/acknowledgment-settings.ts';
import { buildAcknowledgment } from '../../../core/hl7v2/acknowledgment.ts';
import { readHeader, type Header } from '../../../core/hl7v2/header.ts';
import { measureProcessorMs } from '../../support/processor.ts';
import { parse } from './support.ts';

function toHeader(text: string): Header {
  const read = readHeader(text);
  if (!read.ok) throw new Error('no header');
  return read.header;
}

const header = toHeader(
  'MSH|^~\\&|LAB^1.2.3^ISO|NORTH|EHR|A\\T\\B|20260312||ORU^R01^ORU_R01|M1|P^T|2.5.1^USA',
);

function refusals(rules: AcceptanceRules, of = header): readonly string[] {
  return findUnacceptable(of, rules).map(({ code, location }) => `${location} ${code}`);
}

describe('an interface takes', () => {
  it.each<[string, AcceptanceRules]>([
    ['everything without rules', {}],
    ['everything with empty lists', { sendingApplications: [], messageTypes: [] }],
    ['an application by its first component', { sendingApplications: ['EHR', 'LAB'] }],
    ['an application by all of it', { sendingApplications: ['LAB^1.2.3^ISO'] }],
    ['an application by a part of it', { sendingApplications: ['L*', 'X'] }],
    ['an application by its id', { sendingApplications: ['*^1.2.*^ISO'] }],
    ['a facility with a decoded name', { receivingFacilities: ['A&B'] }],
    ['any that is named by *', { receivingApplications: ['*'] }],
    ['a type with all its events', { messageTypes: ['ADT', 'ORU'] }],
    ['a type and event', { messageTypes: ['ORU^R01'] }],
    ['a type, event and structure', { messageTypes: ['ORU^R0*^ORU_R01'] }],
    ['a processing id in any mode', { processingIds: ['T', 'P'] }],
    ['a processing id in one mode', { processingIds: ['P^T'] }],
    ['a version', { versions: ['2.3', '2.5.1'] }],
    ['versions of a kind', { versions: ['2.5*'] }],
  ])('%s', (_name, rules) => {
    expect(refusals(rules)).toEqual([]);
  });
});

describe('an interface rejects', () => {
  it.each<[string, AcceptanceRules, string]>([
    ['another application', { sendingApplications: ['EHR'] }, 'MSH-3.1 sender-not-accepted'],
    [
      'one of that name with another id',
      { sendingApplications: ['LAB^9.9^ISO'] },
      'MSH-3 sender-not-accepted',
    ],
    ['a longer name', { sendingApplications: ['LA'] }, 'MSH-3.1 sender-not-accepted'],
    ['a name in other letters', { sendingFacilities: ['north'] }, 'MSH-4.1 sender-not-accepted'],
    ['a message for another', { receivingApplications: ['RIS'] }, 'MSH-5.1 receiver-not-accepted'],
    ['a message for elsewhere', { receivingFacilities: ['A*C'] }, 'MSH-6.1 receiver-not-accepted'],
    ['another type', { messageTypes: ['ADT^A01', 'MDM'] }, 'MSH-9.1 message-type-not-accepted'],
    ['another event', { messageTypes: ['ADT^A01', 'ORU^R30'] }, 'MSH-9.2 event-not-accepted'],
    [
      'another structure',
      { messageTypes: ['ORU^R01^ORU_R30'] },
      'MSH-9.3 message-type-not-accepted',
    ],
    ['another processing id', { processingIds: ['T', 'D'] }, 'MSH-11.1 processing-id-not-accepted'],
    [
      'another processing mode',
      { processingIds: ['P^', 'P^A'] },
      'MSH-11.2 processing-id-not-accepted',
    ],
    ['another version', { versions: ['2.5', '2.3.1'] }, 'MSH-12.1 version-not-accepted'],
  ])('%s', (_name, rules, expected) => {
    expect(refusals(rules)).toEqual([expected]);
  });

  it('what is empty where a value is asked for, as missing', () => {
    const empty = toHeader('MSH|^~\\&|""||||2026||ORU|M1');
    const rules: AcceptanceRules = {
      sendingApplications: ['LAB'],
      sendingFacilities: ['NORTH'],
      messageTypes: ['ORU^R01'],
      processingIds: ['P'],
      versions: ['2.5.1'],
    };
    expect(refusals(rules, empty)).toEqual(
      ['MSH-3', 'MSH-4', 'MSH-11', 'MSH-12', 'MSH-9.2'].map((at) => `${at} required-field-missing`),
    );
  });

  it('no message for a structure that it does not say', () => {
    const short = toHeader('MSH|^~\\&|A|B|C|D|2026||ADT^A04|1|P|2.3');
    expect(refusals({ messageTypes: ['ADT^A04^ADT_A01'] }, short)).toEqual([]);
  });

  it('reads the header with its own delimiters', () => {
    const own = toHeader('MSH*!@$%*LAB!1*N*E*C*2026**ADT!A08*1*T*2.3\r');
    expect(refusals({ sendingApplications: ['LAB^1'], messageTypes: ['ADT^A08'] }, own)).toEqual(
      [],
    );
    expect(refusals({ sendingApplications: ['LAB^2'], processingIds: ['P'] }, own)).toHaveLength(2);
  });

  it('for all its reasons at once, each with its condition of table 0357 and its place', () => {
    const issues = findUnacceptable(header, {
      sendingApplications: ['X'],
      receivingApplications: ['Y'],
      messageTypes: ['ADT'],
      processingIds: ['D'],
      versions: ['2.2'],
    });
    const answer = parse(
      buildAcknowledgment(header, 'AR', issues, { now: '2026', controlId: 'H1' }),
    );
    const errors = answer.segmentsNamed('ERR').map((error) => {
      const location = error.field(2).raw;
      return `${location} ${error.field(3).repetitions[0]?.component(1).text}`;
    });
    expect(errors).toEqual([
      'MSH^1^3^1^1 103',
      'MSH^1^5^1^1 103',
      'MSH^1^11^1^1 202',
      'MSH^1^12^1^1 203',
      'MSH^1^9^1^1 200',
    ]);
  });

  it('without telling what it found, nor whom it knows', () => {
    const text = JSON.stringify(
      findUnacceptable(header, {
        sendingApplications: ['SECRET'],
        receivingFacilities: ['SECRET'],
        messageTypes: ['ADT'],
        versions: ['2.2'],
      }),
    );
    expect(text).not.toMatch(/LAB|1\.2\.3|A&B|SECRET|ORU|2\.5/);
  });

  it('in time that does not explode with the stars of a rule', () => {
    const long = toHeader(`MSH|^~\\&|${'a'.repeat(50_000)}|N|E|C|2026||ORU|1|P|2.5`);
    const given = { sendingApplications: [`${'a*'.repeat(50)}b`] };
    const milliseconds = measureProcessorMs(() => expect(refusals(given, long)).toHaveLength(1));
    expect(milliseconds).toBeLessThan(1_000);
  });
});
