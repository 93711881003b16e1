import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import { parseStructureText } from '../../../../core/hl7v2/definitions/structure-text.ts';
import { matchStructure } from '../../../../core/hl7v2/match-structure.ts';
import { toBareMessage } from '../../../support/conformant.ts';
import { parse } from '../support.ts';

const definitions = openDefinitions().of('2.5.1');

function find(structure: string, names: string): readonly string[] {
  const known = definitions.findStructure(structure);
  if (known === undefined) throw new Error('Expected a structure');
  const issues = matchStructure(parse(toBareMessage(names.split(' '))), known);
  return issues.map(
    ({ code, severity, location = '' }) =>
      `${severity === 'error' ? '' : `${severity} `}${code} ${location}`,
  );
}

describe('one fault is one finding', () => {
  it.each<[what: string, structure: string, names: string, findings: readonly string[]]>([
    [
      'several orders without ORC',
      'RDE_O11',
      'MSH PID ORC RXE TQ1 RXR RXE TQ1 RXR RXC',
      ['segment-missing ORC[2]'],
    ],
    ['an order without OBR', 'ORU_R01', 'MSH PID ORC OBX OBX ORC OBR OBX', ['segment-missing OBR']],
    [
      'a visit behind the observations',
      'ORU_R01',
      'MSH PID ORC OBR OBX PV1',
      ['segment-out-of-order PV1'],
    ],
    ['a patient behind the visit', 'ADT_A01', 'MSH EVN PV1 PID AL1', ['segment-out-of-order PID']],
    ['an event at the end', 'ADT_A01', 'MSH PID PV1 AL1 DG1 EVN', ['segment-out-of-order EVN']],
    [
      'an insurance without its first segment',
      'ADT_A01',
      'MSH EVN PID PV1 IN2',
      ['segment-out-of-order IN2'],
    ],
    [
      'more of an insurance without its first segment',
      'ADT_A01',
      'MSH EVN PID PV1 IN2 IN3 IN3',
      ['segment-missing IN1'],
    ],
    [
      'the end of a group that repeats',
      'ADT_A43',
      'MSH EVN PID PD1 PID PD1 MRG',
      ['segment-missing MRG'],
    ],
    [
      'a note of a choice that was not made',
      'ORM_O01',
      'MSH PID ORC NTE',
      ['segment-out-of-order NTE'],
    ],
    [
      'two faults',
      'ADT_A01',
      'MSH PID PV1 PV1',
      ['segment-missing EVN', 'segment-out-of-order PV1[2]'],
    ],
    ['an acknowledgment of nothing', 'ACK', 'MSH ERR', ['segment-missing MSA']],
    [
      'a segment that the version does not have',
      'ORU_R01',
      'MSH PID OBR OBX QQQ OBX',
      ['warning segment-unexpected QQQ'],
    ],
    ['a continuation', 'ADT_A01', 'MSH EVN PID PV1 DSC', []],
    ['an addendum', 'ORU_R01', 'MSH PID OBR OBX ADD OBX', []],
    [
      'a continuation in the middle',
      'ADT_A01',
      'MSH EVN DSC PID PV1',
      ['warning segment-unexpected DSC'],
    ],
  ])('%s', (_what, structure, names, findings) => {
    expect(find(structure, names)).toEqual(findings);
  });
});

describe('a finding says', () => {
  it.each<[structure: string, names: string, message: string]>([
    [
      'ORU_R01',
      'MSH PID ORC OBX',
      'Expected a segment OBR, which group ORDER_OBSERVATION of PATIENT_RESULT needs, found none before OBX on line 4',
    ],
    ['ADT_A01', 'MSH EVN PID', 'Expected a segment PV1, found none before the end of the message'],
    [
      'ADT_A01',
      'MSH EVN PID PID PV1',
      "Expected PID once at this place of the message's structure, found it again on line 4",
    ],
    [
      'ORU_R01',
      'MSH PID OBR OBX PV1',
      "Expected PV1 at another place of the message's structure, found it on line 5 behind OBX of group OBSERVATION of ORDER_OBSERVATION of PATIENT_RESULT",
    ],
  ])('for %s of %s where it is', (structure, names, message) => {
    const known = definitions.findStructure(structure)!;
    const [issue] = matchStructure(parse(toBareMessage(names.split(' '))), known);
    expect(issue?.message).toBe(message);
  });

  it('what could have been chosen', () => {
    const known = parseStructureText('TEST', 'MSH {ORDER: ORC <OBR|RXO|ODS>}');
    const [issue] = matchStructure(parse(toBareMessage(['MSH', 'ORC'])), known);
    expect(issue?.message).toMatch('Expected one of OBR, RXO, ODS, which group ORDER needs');
  });
});

describe('a structure that is ambiguous', () => {
  it.each<[structure: string, names: string]>([
    // Two optional groups that begin alike: which one it is shows only later.
    ['MSH [A01 [B01] C01] [A01 D01]', 'MSH A01 D01'],
    ['MSH [A01 [B01] C01] [A01 D01]', 'MSH A01 B01 C01 A01 D01'],
    ['MSH {[A01] [B01]} A01 C01', 'MSH A01 A01 B01 A01 C01'],
    ['MSH [{A01}] A01 A01', 'MSH A01 A01 A01 A01'],
    ['MSH {[{A01}] [{B01}]} [{C01 [{A01}]}]', 'MSH B01 A01 B01 C01 A01 A01 C01'],
    ['MSH <A01 | B01> C01', 'MSH B01 C01'],
    ['MSH [{Hxx}] Z01', 'MSH A01 B01 Z01'],
  ])('%s takes %s', (text, names) => {
    const structure = parseStructureText('TEST', text);
    expect(matchStructure(parse(toBareMessage(names.split(' '))), structure)).toEqual([]);
  });
});

describe('time grows with the number of segments alone', () => {
  const structure = definitions.findStructure('ORU_R01')!;
  const repeat = (names: readonly string[], count: number): readonly string[] =>
    Array.from({ length: count }, (_, at) => names[at % names.length] ?? '');

  /** In milliseconds of the processor; the best of three, since collecting garbage takes some of them. */
  function measure(names: readonly string[]): number {
    const message = parse(toBareMessage(['MSH', ...names]));
    const times = Array.from({ length: 3 }, () => {
      const started = process.cpuUsage();
      matchStructure(message, structure);
      const { user, system } = process.cpuUsage(started);
      return (user + system) / 1_000;
    });
    return Math.min(...times);
  }

  it.each<[string, readonly string[]]>([
    ['observations', ['OBX']],
    ['orders without anything', ['OBR']],
    ['patients without orders', ['PID']],
    ['notes that belong to nothing', ['NTE']],
    ['the structure backwards', ['SPM', 'CTI', 'OBX', 'OBR', 'ORC', 'PV1', 'PID', 'MSH']],
    ['segments that belong nowhere', ['MSH', 'DSC', 'PV2']],
    ['any order', ['NTE', 'PID', 'TQ2', 'OBX', 'PV2', 'OBR', 'CTD', 'FT1', 'SPM', 'NK1', 'DSC']],
  ])('%s', (_what, names) => {
    const few = measure(repeat(names, 5_000));
    const many = measure(repeat(names, 40_000));
    // Eight times as many, with room for the noise of a busy machine.
    expect(many).toBeLessThan(few * 24 + 100);
    expect(many).toBeLessThan(4_000);
  });
});
