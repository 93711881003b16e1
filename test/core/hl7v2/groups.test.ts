import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { HilumError } from '../../../core/errors.ts';
import type { Hl7Message } from '../../../core/hl7v2/message.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { build } from './support.ts';

const definitions = openDefinitions();

function parse(text: string): Hl7Message {
  const parsed = parseMessage(text, { definitions });
  if (!parsed.ok) throw new Error('Expected a message.');
  return parsed.message;
}

const twoPatients = build(
  'PID|1||A||Example^Alex',
  'NTE|1||of the patient',
  'ORC|RE|1',
  'OBR|1|1||GLU',
  'NTE|1||of the order',
  'OBX|1|NM|GLU||5.4||||||F',
  'NTE|1||of the result',
  'ZZZ|1',
  'OBX|2|NM|NA||140||||||F',
  'OBR|2|2||K',
  'OBX|1|NM|K||4.1||||||F',
  'SPM|1|||SER',
  'OBX|1|ST|COLOR||red||||||F',
  'PID|2||B||Other^Kim',
  'OBR|3|3||CL',
  'OBX|1|NM|CL||101||||||F',
);

describe('a path with groups', () => {
  it.each([
    ['PATIENT_RESULT.ORDER_OBSERVATION[2].OBX[1]-5', ['4.1']],
    ['PATIENT_RESULT[1].ORDER_OBSERVATION[2].OBX-5', ['4.1', 'red']],
    ['PATIENT_RESULT[2].OBX-5', ['101']],
    ['ORDER_OBSERVATION[3].OBX-5', ['101']],
    ['ORDER_OBSERVATION[1].OBSERVATION[2].OBX-5', ['140']],
    ['OBSERVATION.OBX-5', ['5.4', '140', '4.1', '101']],
    ['SPECIMEN.OBX-5', ['red']],
    ['PATIENT.NTE-3', ['of the patient']],
    ['OBSERVATION.NTE-3', ['of the result']],
    ['ORDER_OBSERVATION.ZZZ-1', ['1']],
    ['ORU_R01.PATIENT_RESULT[2].PATIENT.PID-3', ['B']],
    ['PATIENT_RESULT[*].PATIENT.PID-3', ['A', 'B']],
    ['PATIENT_RESULT[3].PATIENT.PID-3', []],
    ['VISIT.PV1-2', []],
    ['NOWHERE.PID-3', []],
    ['ORDER_OBSERVATION[1].OBX[3=NA]-5', ['140']],
  ])('finds what is in them: %s', (path, values) => {
    const message = parse(twoPatients);
    expect(message.all(path)).toEqual(values);
    expect(message.get(path)).toBe(values[0]);
  });

  it('tells places of the whole message', () => {
    const [place] = parse(twoPatients).places('PATIENT_RESULT[2].OBX-5');
    expect(place?.location).toBe('OBX[5]-5[1]');
  });

  it('is edited, and the rest is as it was', () => {
    const message = parse(twoPatients);
    expect(message.set('SPECIMEN.OBX-5', 'blue').text).toBe(twoPatients.replace('red', 'blue'));
    expect(message.remove('PATIENT_RESULT[2].ORDER_OBSERVATION.OBX').text).toBe(
      twoPatients.replace('OBX|1|NM|CL||101||||||F\r', ''),
    );
    expect(message.append('ORDER_OBSERVATION[2].NTE', 'NTE|9||new').text).toBe(
      twoPatients.replace('red||||||F\r', 'red||||||F\rNTE|9||new\r'),
    );
    // An edited message finds its groups again.
    expect(message.set('OBX-5', 'x').get('PATIENT_RESULT[2].OBX-5')).toBe('101');
  });

  it('never appends to another group than the one that is named', () => {
    expect(() => parse(twoPatients).append('ORDER_OBSERVATION[4].NTE', 'NTE|1||x')).toThrow(
      'segment-missing',
    );
  });

  it('finds the likeliest group where something is missing', () => {
    const message = parse(build('PID|1||A', 'OBX|1|NM|GLU||5.4', 'OBR|2|2||K', 'OBX|1|NM|K||4.1'));
    expect(message.all('ORDER_OBSERVATION.OBX-5')).toEqual(['5.4', '4.1']);
  });

  it.each([
    ['without definitions', parseMessage(twoPatients)],
    [
      'of a type that is not known',
      parseMessage(twoPatients.replace('ORU^R01^ORU_R01', 'XYZ^Z99'), { definitions }),
    ],
  ])('is refused %s', (_what, parsed) => {
    let thrown: unknown;
    try {
      if (parsed.ok) parsed.message.get('PATIENT_RESULT.PID-3');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(HilumError);
    expect((thrown as HilumError).issues[0]?.code).toBe('path-needs-structure');
  });

  it('costs what the message costs, whatever its order', () => {
    const started = process.cpuUsage();
    const many = 'OBR|1|1||K\rOBX|1|NM|K||4.1\rPID|1\rZZZ|1\r'.repeat(20_000);
    expect(parse(build(many)).all('ORDER_OBSERVATION.OBX-5')).toHaveLength(20_000);
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(8);
  });
});
