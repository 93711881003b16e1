import { readMappingFilesSync } from '../../connectors/file/mapping-files.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { splitBatch } from '../../core/hl7v2/split-batch.ts';
import { readSamples } from '../core/hl7v2/support.ts';
import { type RoundTrip, goRound, openWays } from './round-trip.ts';
import { mappingsFolder, toParsed } from './support.ts';

const ways = openWays(readMappingFilesSync(mappingsFolder));

const result = [
  'MSH|^~\\&|LABAPP|LAB^2.16.840.1.999.2^ISO|EHRAPP|EHR|20260102093000+0100||ORU^R01^ORU_R01|M1|P|2.5.1',
  'PID|1||12345^^^LAB^MR~999-11^^^SSA&1.2.3&ISO^SS||Low^Al^Bert^Jr^Dr^^L||19700102|M|||Main St 1^Apt 2^Town^ST^12345^USA^H||5551234^PRN^PH|5559999|||M|CHR',
  'PV1|1|I|W1^101^A^FAC||||1234^Attend^Anna^^^Dr|5678^Refer^Rob|||||||||||VN1',
  'ORC|RE|P1^ORD|F1^LAB|||||||||1234^Attend^Anna',
  'OBR|1|P1^ORD|F1^LAB|24331-1^Lipids^LN|||20260102080000+0100|||||||||||||||20260102090000+0100||CH|F',
  'NTE|1||Order note',
  'OBX|1|NM|2093-3^Cholesterol^LN||5.20|mmol/L^mmol/L^UCUM|<5.0|H|||F|||20260102081000+0100',
  'NTE|1||A line~Second line\\.br\\\\.br\\Third line behind a blank one',
  'OBX|2|SN|2571-8^Triglyceride^LN||<^0.5|mmol/L|<2|N|||F',
  'OBX|3|ST|X1^Local^L||some \\T\\ text||||||P',
  'OBX|4|CWE|X2^Code^L||A^Alpha^99LAB^B^Beta^LN||||||F',
  'OBX|5|TS|X3^When^L||20260101120000+0100||||||F',
  'OBX|6|SN|X4^Titre^L||^1^:^128||||||F',
  'OBX|7|ED|X5^Report^L||^application^pdf^Base64^JVBERi0||||||F',
  'OBX|8|ST|X6^Fasting^L||yes||||||F||||||||||||North Lab^L|1 Lab Street^^Town^ST^12345|5555^Director^Dora||||QST',
  'NTE|1||A line',
  'SPM|1|S1&PL^S2&FL||BLD^Whole blood^HL70487|||||||||||||20260102075900+0100|20260102083000+0100',
];

const resultsOfTwo = [
  'MSH|^~\\&|LABAPP|LAB^2.16.840.1.999.2^ISO|EHRAPP|EHR|20260102093000+0100||ORU^R01^ORU_R01|M1|P|2.5.1',
  'PID|1||12345^^^LAB^MR||Low^Al',
  'PV1|1|I|W1^101^A^FAC||||||||||||||||VN1^^^LAB^VN',
  'OBR|1|P1^ORD|F1^LAB|24331-1^Lipids^LN|||20260102080000+0100||||||||||||||||||F',
  'OBX|1|NM|2093-3^Cholesterol^LN||5.20|mmol/L^mmol/L^UCUM|||||F',
  'PID|2||67890^^^LAB^MR||High^Bo',
  'PV1|1|O|W2^102^B^FAC||||||||||||||||VN2^^^LAB^VN',
  'OBR|1|P2^ORD|F2^LAB|24331-1^Lipids^LN|||20260102080000+0100||||||||||||||||||F',
  'OBX|1|NM|2093-3^Cholesterol^LN||6.20|mmol/L^mmol/L^UCUM|||||F',
];

const order = [
  'MSH|^~\\&|ORDAPP|HOSP|LABAPP|LAB|20260102093000+0100||OML^O21^OML_O21|M3|P|2.5.1',
  'PID|1||12345^^^HOSP^MR||Low^Al',
  'PV1|1|I|W1^101^A^FAC||||||||||||||||VN1^^^HOSP^VN',
  'ORC|NW|P1^ORD|||||||20260102090000+0100|||1234^Attend^Anna',
  'OBR|1|P1^ORD||24331-1^Lipids^LN',
  'NTE|1||A note',
  'ORC|NW|P2^ORD|||||||20260102090000+0100|||1234^Attend^Anna',
  'OBR|2|P2^ORD||1558-6^Glucose^LN',
  'NTE|1||A note',
  'PID|1||12345^^^HOSP^MR||Low^Al',
  'PV1|1|O|W9^109^A^FAC||||||||||||||||VN0^^^HOSP^VN',
  'ORC|RE|P0^ORD|F0^LAB',
  'OBR|3|P0^ORD|F0^LAB|1558-6^Glucose^LN|||20251202080000+0100||||||||||||||||||F',
  'NTE|1||A note',
  'OBX|1|NM|1558-6^Glucose^LN||5.20|mmol/L^mmol/L^UCUM|||||F',
  'NTE|1||A note',
];

const supply = [
  'MSH|^~\\&|ORDAPP|HOSP|STORE|HOSP|20260102093000+0100||ORM^O01^ORM_O01|M4|P|2.5.1',
  'PID|1||12345^^^HOSP^MR||Low^Al',
  'ORC|NW|P1^ORD',
  'RQD|1|G1^Gauze^L|||2||||D4^Theatre',
];

const nothingButPatient = [
  'MSH|^~\\&|LABAPP|LAB|EHRAPP|EHR|20260102093000+0100||ORU^R01^ORU_R01|M5|P|2.5.1',
  'PID|1||12345^^^LAB^MR||Low^Al^Bert||19700102|M|||Main St 1^Apt 2^Town^ST^12345',
];

const admission = [
  'MSH|^~\\&|ADT1|HOSP|EHRAPP|EHR|20260102093000+0100||ADT^A01^ADT_A01|M2|P|2.5.1',
  'EVN|A01|20260102092900+0100||01|77^Clerk^Cora',
  'PID|1||12345^^^HOSP^MR||Low^Al^Bert^Jr^Dr^^L||197001020830+0100|M|||Main St 1^Apt 2^Town^ST^12345^USA^H||5551234^PRN^PH|5559999|en^English^ISO639|M|||111-22|||||||||20260101',
  'PD1||||4321^Family^Fay',
  'NK1|1|Low^Eve|SPO^Spouse^HL70063|Main St 1^^Town|5551234',
  'PV1|1|I|W1^101^A^HOSP|R|||1234^Attend^Anna^^^Dr|5678^Refer^Rob|||||||A0||||VN1^^^HOSP^VN|||||||||||||||||01|||||||||20260102090000+0100',
  'PV2|||R07.4^Chest pain^I10',
  'OBX|1|NM|29463-7^Weight^LN||70|kg|||||F',
  'AL1|1|DA|7980^Penicillin^RXNORM|SV|Rash~Itch|20200101',
  'DG1|1||I21.9^Infarction^I10||20260102|A',
  'PR1|1||33510^Bypass^C4||20260102100000+0100||||||4444^Cutter^Carl',
  'IN1|1|PLAN1^Plan One|INS1^^^HOSP|Insurer Inc|Ins St 1^^Town|||||||20250101|20261231|||Low^Al|SEL^Self^HL70063',
];

const eventOfTwo = [
  ...admission,
  'PID|2||67890^^^HOSP^MR||High^Bo||19800102|F',
  'NK1|1|High^Eve|SPO^Spouse^HL70063',
  'PV1|1|O|W2^102^B^HOSP||||||||||||||||VN2^^^HOSP^VN',
];

describe('from HL7 v2 to FHIR and back', () => {
  test.each([
    ['a result', result, 140],
    ['results of two patients', resultsOfTwo, 55],
    ['an order with a result of before', order, 80],
    ['an order of supplies', supply, 15],
    ['a patient without a result', nothingButPatient, 15],
    ['an admission', admission, 110],
    ['an event of two patients', eventOfTwo, 110],
  ])('%s: nothing is lost that a rule with a way back took', (_, lines, atLeast) => {
    const round = goRound(toParsed(lines.join('\r')), ways);
    expect(round?.lost).toEqual([]);
    expect(round?.moved).toEqual([]);
    expect(round?.equal.length).toBeGreaterThan(atLeast);
  });

  const samples = readSamples();
  if (samples.length === 0) {
    console.warn('SKIPPED: published sample messages (../shared/data/hl7v2) are not here.');
    return;
  }

  test.each([
    ['in their own versions', undefined],
    ['in 2.5.1, as messages are made unless asked otherwise', '2.5.1'],
  ])(
    'of published messages nothing is lost undeclared, nor moved to another order, %s',
    (_, version) => {
      const rounds = samples.flatMap(([file, bytes]) =>
        splitBatch(bytes).messages.flatMap((message, index) =>
          goRoundOf(message.bytes ?? bytes, version).map((round) => ({
            file: `${file}#${index + 1}`,
            ...round,
          })),
        ),
      );
      expect(rounds.length).toBeGreaterThan(400);
      expect(rounds.flatMap(({ equal }) => equal).length).toBeGreaterThan(76_000);
      expect(rounds.flatMap(({ file, lost }) => lost.map((loss) => ({ file, ...loss })))).toEqual(
        [],
      );
      expect(rounds.flatMap(({ file, moved }) => moved.map((one) => `${file} ${one}`))).toEqual([]);
    },
    120_000,
  );
});

function goRoundOf(bytes: Uint8Array, version: string | undefined): readonly RoundTrip[] {
  const parsed = parseMessage(bytes);
  const round = parsed.ok ? goRound(parsed.message, ways, version) : undefined;
  return round === undefined ? [] : [round];
}
