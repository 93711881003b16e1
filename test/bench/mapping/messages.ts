/** Messages of invented people, of the kinds and sizes that the bars are for. */
import { buildAdmission } from '../pipeline/messages.ts';
import type { ParsedPatient } from './peers.ts';

export interface Workload {
  readonly name: string;
  /** Microseconds a message on one core, from its bytes to a Bundle that the gate has passed. */
  readonly bar: number;
  readonly messages: readonly Buffer[];
}

const analytes = [
  ['718-7', 'Hemoglobin', 'g/dL', '12.0-16.0'],
  ['4544-3', 'Hematocrit', '%', '36-46'],
  ['6690-2', 'Leukocytes', '10*3/uL', '4.0-10.0'],
  ['777-3', 'Platelets', '10*3/uL', '150-400'],
  ['2951-2', 'Sodium', 'mmol/L', '136-145'],
] as const;

const different = 50;

/** So many of a kind, each of a patient of its own. */
function some(build: (number: number) => Buffer): readonly Buffer[] {
  return Array.from({ length: different }, (_, number) => build(number));
}

export const workloads: readonly Workload[] = [
  { name: 'ADT_A01, 2 kB', bar: 60, messages: some(buildAdmission) },
  { name: 'ORU_R01, 30 OBX', bar: 400, messages: some((number) => buildResult(number, 30)) },
  { name: 'VXU_V04', bar: 100, messages: some(buildVaccination) },
];

/** An ORU_R01 (2.5.1) with so many observations, each `textLength` characters of notes longer. */
export function buildResult(number: number, observations: number, textLength = 0): Buffer {
  const time = '20261120083000+0100';
  const lines = [
    `MSH|^~\\&|LIS^2.999.21^ISO|TESTLAB^2.999.2^ISO|HILUM|EHR|${time}||ORU^R01^ORU_R01|B${number}|P|2.5.1`,
    `PID|1||P${number}^^^TESTLAB&2.999.2&ISO^MR||Sample${number}^Case^B||19700101|F|||1 Invented Lane^^Samplestad^^01234`,
    `PV1|1|O|LAB^^^TESTLAB||||D1^Doc^Dana|||||||||||V${number}^^^TESTLAB^VN`,
    `ORC|RE|O${number}^EHR|F${number}^TESTLAB||CM|||||||D1^Doc^Dana`,
    `OBR|1|O${number}^EHR|F${number}^TESTLAB|58410-2^Panel^LN|||${time}|||||||||D1^Doc^Dana||||||${time}||LAB|F`,
  ];
  const note = textLength === 0 ? '' : 'x'.repeat(textLength);
  for (let at = 0; at < observations; at += 1) {
    const [code, name, unit, range] = analytes[at % analytes.length]!;
    lines.push(
      `OBX|${at + 1}|NM|${code}^${name}^LN|${at + 1}|${(number % 90) + at + 1}|${unit}|${range}|N|||F|||${time}`,
    );
    if (note !== '') lines.push(`NTE|1|L|${note}`);
  }
  return Buffer.from(`${lines.join('\r')}\r`);
}

/** A VXU_V04 (2.5.1): one vaccine given, with its route, its funding and its statement. */
function buildVaccination(number: number): Buffer {
  const time = '20261120083000+0100';
  const lines = [
    `MSH|^~\\&|EHR^2.999.30^ISO|CLINIC^2.999.31^ISO|IIS|STATE|${time}||VXU^V04^VXU_V04|V${number}|P|2.5.1`,
    `PID|1||P${number}^^^CLINIC&2.999.31&ISO^MR||Sample${number}^Case^B||20240101|M|||1 Invented Lane^^Samplestad^^01234`,
    `ORC|RE|O${number}^EHR|F${number}^EHR|||||||||D1^Doc^Dana`,
    `RXA|0|1|20261120|20261120|08^HepB^CVX|0.5|mL^mL^UCUM||00^New record^NIP001|N1^Nurse^Nia|^^^CLINIC||||L${number}|20271231|MSD^Maker^MVX|||CP|A`,
    'RXR|C28161^Intramuscular^NCIT|LA^Left arm^HL70163',
    `OBX|1|CE|64994-7^Funding^LN|1|V02^Eligible^HL70064||||||F|||${time}`,
    `OBX|2|CE|30956-7^Vaccine type^LN|2|45^Hep B^CVX||||||F|||${time}`,
    `OBX|3|TS|29769-7^Statement given^LN|2|20261120||||||F|||${time}`,
  ];
  return Buffer.from(`${lines.join('\r')}\r`);
}

/** One patient as a message, and as a parser may hand it to a mapping. */
export const patient: { readonly message: string; readonly parsed: ParsedPatient } = {
  message: [
    'MSH|^~\\&|A|B|C|D|20260101||ADT^A08^ADT_A01|1|P|2.5.1',
    'PID|1||123^^^urn:a^MR~456^^^urn:b^PI~789^^^urn:c^SS||Low^Al^B~Low^Ally||19800102|F|||1 High St^^Town^^12345^XX||5550001~5550002',
    '',
  ].join('\r'),
  parsed: {
    ids: [
      { value: '123', system: 'urn:a', type: 'MR' },
      { value: '456', system: 'urn:b', type: 'PI' },
      { value: '789', system: 'urn:c', type: 'SS' },
    ],
    names: [
      { family: 'Low', given: 'Al', middle: 'B' },
      { family: 'Low', given: 'Ally' },
    ],
    birth: '19800102',
    sex: 'F',
    addresses: [{ line: '1 High St', city: 'Town', postalCode: '12345', country: 'XX' }],
    phones: ['5550001', '5550002'],
  },
};
