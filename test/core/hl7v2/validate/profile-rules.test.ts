import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import type {
  ConditionContext,
  FieldDefinition,
  SegmentDefinition,
  StructureItem,
  VersionDefinitions,
} from '../../../../core/hl7v2/definitions/definitions.ts';
import { validate } from '../../../../core/hl7v2/validate.ts';
import { parse } from '../support.ts';

const base = openDefinitions().of('2.5.1');

/** 2.5.1 with other rules for one field of PID. */
function withField(position: number, rules: Partial<FieldDefinition>): VersionDefinitions {
  const pid = base.findSegment('PID')!;
  const fields = pid.fields.map((field, index) =>
    index === position - 1 ? { ...field, ...rules } : field,
  );
  return withSegment({ ...pid, fields });
}

function withSegment(segment: SegmentDefinition): VersionDefinitions {
  return {
    ...base,
    findSegment: (name) => (name === segment.name ? segment : base.findSegment(name)),
  };
}

/** 2.5.1 with another structure for results. */
function withStructure(items: readonly StructureItem[]): VersionDefinitions {
  const structure: StructureItem = { kind: 'group', name: 'ORU_R01', items, min: 1, max: 1 };
  return { ...base, findStructure: () => structure };
}

function item(name: string, rules: Partial<StructureItem> = {}): StructureItem {
  return { kind: 'segment', name, items: [], min: 1, max: 1, ...rules };
}

function find(definitions: VersionDefinitions, ...segments: readonly string[]): readonly string[] {
  const header = 'MSH|^~\\&|A|B|C|D|2026||ORU^R01^ORU_R01|1|P|2.5.1';
  return validate(parse([header, ...segments].join('\r')), definitions).map(
    ({ code, severity, location = '' }) =>
      severity === 'error' ? `${code} ${location}` : `${severity} ${code} ${location}`,
  );
}

const obr = 'OBR|1|P1|F1|24323-8^Panel^LN';

/** PID with a value at one of its positions from 6 on. */
function pid(position: number, value: string): string {
  return `PID|1||1^^^A^MR||Testperson^Amelie${'|'.repeat(position - 5)}${value}`;
}

const codes = { name: 'the site', has: (code: string) => code === 'A', isClosed: true };
const ifMale = {
  text: 'PID-8 is M',
  holds: (context: ConditionContext) =>
    context.all('8').includes('M') && context.all('MSH-9.2').includes('R01'),
  then: 'R',
  otherwise: 'X',
} as const;

describe('a field of a profile', () => {
  it.each<[string, number, Partial<FieldDefinition>, string, readonly string[]]>([
    ['required', 23, { usage: 'R' }, '', ['required-field-missing PID-23']],
    [
      'required, with nothing but delimiters',
      23,
      { usage: 'R' },
      '^~',
      ['required-field-missing PID-23'],
    ],
    ['required, null', 23, { usage: 'R' }, '""', []],
    ['expected', 23, { usage: 'RE' }, '', ['information value-expected PID-23']],
    ['expected, there', 23, { usage: 'RE' }, 'x', []],
    ['not supported', 23, { usage: 'X' }, 'x', ['value-unsupported PID-23']],
    ['not supported, absent', 23, { usage: 'X' }, '', []],
    ['withdrawn', 23, { usage: 'W' }, 'x', []],
    ['fixed', 23, { fixed: 'A&B' }, 'A\\T\\B', []],
    ['fixed, another', 23, { fixed: 'A' }, 'B', ['value-not-fixed PID-23']],
    ['of some codes', 23, { codes }, 'A', []],
    ['of some codes, another', 23, { codes }, 'B', ['code-not-in-table PID-23']],
    [
      'of open codes, another',
      23,
      { codes: { ...codes, isClosed: false } },
      'B',
      ['warning code-not-in-table PID-23'],
    ],
    ['coded, of some codes', 22, { codes }, 'A^x^99LOC', []],
    ['coded, another', 22, { codes }, 'B^x^99LOC', ['code-not-in-table PID-22']],
    ['too short', 23, { minLength: 2 }, 'x', ['value-too-short PID-23']],
    ['too long', 23, { maxLength: 2 }, 'xyz', ['value-too-long PID-23']],
    [
      'too long all together',
      22,
      { maxLength: 5, isLengthAgreed: true },
      'H^x^99',
      ['value-too-long PID-22'],
    ],
    ['of a length that its components have', 22, { maxLength: 5 }, 'H^x^99', []],
    ['repeated too rarely', 3, { min: 2 }, '', ['repetitions-too-few PID-3']],
    [
      'repeated too often',
      22,
      { max: 2 },
      'H^x^99~H^x^99~H^x^99',
      ['repetitions-too-many PID-22[3]'],
    ],
    [
      'required on a condition that does not hold',
      23,
      { condition: ifMale },
      'x',
      ['value-unsupported PID-23'],
    ],
    [
      'with required components',
      22,
      {
        components: [
          { name: '', datatype: 'ST', usage: 'R' },
          { name: '', datatype: 'ST', usage: 'R' },
        ],
      },
      'H',
      ['required-field-missing PID-22.2'],
    ],
    [
      'with components that are not supported',
      22,
      {
        components: [
          { name: '', datatype: 'ST', usage: 'R' },
          { name: '', datatype: 'ST', usage: 'X' },
        ],
      },
      'H^y',
      ['value-unsupported PID-22.2'],
    ],
  ])('%s', (_what, position, rules, value, findings) => {
    expect(find(withField(position, rules), pid(Math.max(position, 6), value), obr)).toEqual(
      findings,
    );
  });

  it('is required where its condition holds', () => {
    const definitions = withField(23, { condition: ifMale });
    expect(find(definitions, pid(8, 'M'), obr)).toEqual(['required-field-missing PID-23']);
    expect(find(definitions, pid(8, 'F'), obr)).toEqual([]);
  });

  it('from 2.7 on may be longer than every receiver has to take', () => {
    const newer = openDefinitions().of('2.7.1');
    const nte = newer.findSegment('NTE')!;
    const fields = nte.fields.map((field, index) =>
      index === 2 ? { ...field, conformanceLength: 5, isTruncatable: true } : field,
    );
    const definitions: VersionDefinitions = {
      ...newer,
      findSegment: (name) => (name === 'NTE' ? { ...nte, fields } : newer.findSegment(name)),
    };
    const found = find(definitions, 'PID|1||1^^^A^MR||x^y', 'NTE|1||123456', obr);
    expect(found).toEqual(['information version-differs MSH-12', 'warning value-too-long NTE-3']);
  });
});

describe('a place of a profile', () => {
  const order = (rules: Partial<StructureItem>): StructureItem => ({
    ...item('ORDER', { kind: 'group', items: [item('OBR'), item('NTE', { min: 0, max: 3 })] }),
    ...rules,
  });

  it.each<[string, readonly StructureItem[], readonly string[], readonly string[]]>([
    ['expected', [item('PV1', { min: 0, usage: 'RE' })], [], ['warning segment-expected PV1']],
    ['expected, there', [item('PV1', { min: 0, usage: 'RE' })], ['PV1|1|I'], []],
    [
      'not supported',
      [item('PV1', { min: 0, usage: 'X' })],
      ['PV1|1|I'],
      ['segment-unsupported PV1'],
    ],
    ['at most none', [item('PV1', { min: 0, max: 0 })], ['PV1|1|I'], ['segment-unsupported PV1']],
    ['a group too often', [order({ max: 2 })], [obr, obr, obr], ['segments-too-many OBR[3]']],
    ['a group too rarely', [order({ min: 2, max: 3 })], [obr], ['segments-too-few OBR']],
    ['a group often enough', [order({ min: 2, max: 3 })], [obr, 'NTE|1', obr], []],
    [
      'a segment too often in one group',
      [order({ max: Infinity })],
      [obr, 'NTE|1', 'NTE|2', 'NTE|3', obr, 'NTE|1', 'NTE|2', 'NTE|3', 'NTE|4'],
      ['segments-too-many NTE[7]'],
    ],
  ])('%s', (_what, items, segments, findings) => {
    expect(find(withStructure([item('MSH'), ...items]), ...segments)).toEqual(findings);
  });

  it('has rules of its own', () => {
    const strict = base.findSegment('NTE')!;
    const fields = strict.fields.map((field, index) =>
      index === 2 ? { ...field, usage: 'R' as const } : field,
    );
    const definition: SegmentDefinition = { name: 'NTE', fields };
    const definitions = withStructure([
      item('MSH'),
      item('PID'),
      item('NTE', { min: 0 }),
      item('OBR'),
      item('NTE', { definition }),
    ]);
    const found = find(definitions, pid(6, ''), 'NTE|1', obr, 'NTE|1');
    expect(found).toEqual(['required-field-missing NTE[2]-3']);
  });
});

describe('the type of a value, of which a profile speaks too', () => {
  const obx = base.findSegment('OBX')!;
  const withTypes = withSegment({
    ...obx,
    fields: obx.fields.map((field, index): FieldDefinition =>
      index === 1 ? { ...field, usage: 'R', min: 1, codes, isAgreed: true } : field,
    ),
  });

  it.each([
    ['absent', 'OBX|1||1^x^L||5||||||F', 'required-field-missing OBX-2'],
    ['of no table', 'OBX|1|XX|1^x^L||5||||||F', 'code-not-in-table OBX-2'],
  ])('is reported once: %s', (_what, segment, finding) => {
    expect(find(withTypes, pid(8, 'F'), obr, segment)).toEqual([finding]);
  });
});
