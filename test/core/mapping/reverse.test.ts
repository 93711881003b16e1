import type { MappingFile } from '../../../core/mapping/mapper.ts';
import { type ReverseResult, compileReverse } from '../../../core/mapping/reverse.ts';

const toFile = (path: string, content: object): MappingFile => ({
  path: `${path}.map.json`,
  text: JSON.stringify(content),
});

const table = (
  id: string,
  pairs: readonly (readonly [string, string, boolean?])[],
  more = {},
): MappingFile => ({
  path: `tables/${id}.conceptmap.json`,
  text: JSON.stringify({
    resourceType: 'ConceptMap',
    id,
    group: [
      {
        element: pairs.map(([code, to, preferred]) => ({
          code,
          target: [
            {
              code: to,
              ...(preferred === true
                ? { extension: [{ url: 'urn:hilum:preferred', valueBoolean: true }] }
                : {}),
            },
          ],
        })),
        ...more,
      },
    ],
  }),
});

const map = (rules: readonly object[], id = 'PID.Patient'): MappingFile =>
  toFile(`segment/${id}`, {
    kind: 'SegmentMap',
    id,
    source: { v2: 'PID' },
    target: { fhir: 'Patient' },
    rules,
  });

const datatype = (id: string, v2: string, rules: readonly object[]): MappingFile =>
  toFile(`datatype/${id}`, {
    kind: 'DatatypeMap',
    id,
    source: { v2 },
    target: { fhir: 'X' },
    rules,
  });

const message = (part: object = {}): MappingFile =>
  toFile('message/ADT.toV2', {
    kind: 'V2MessageMap',
    id: 'ADT.toV2',
    source: { fhir: ['Patient'] },
    target: { v2: 'ADT_A05' },
    events: [{ event: 'ADT^A28' }],
    segments: [{ id: 'pid', segment: 'PID', with: 'Patient', maps: ['PID.Patient'], ...part }],
  });

function run(files: readonly MappingFile[], resource: object): ReverseResult {
  const compiled = compileReverse(files);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return compiled.mapper.map(
    { resourceType: 'Patient', ...resource },
    { date: '20260102', provenance: true, controlId: '1' },
  );
}

/** The PID of a patient, by the rules alone. */
function toPid(
  rules: readonly object[],
  resource: object,
  more: readonly MappingFile[] = [],
): string | undefined {
  const { message: text } = run([map(rules), message(), ...more], resource);
  return text?.split('\r').find((line) => line.startsWith('PID'));
}

const sex = table('sex', [
  ['F', 'female'],
  ['X', 'other'],
  ['O', 'other', true],
]);

describe('a rule that is turned round', () => {
  test.each<[string, object, object, string | undefined]>([
    [
      'a text',
      { from: 'PID-23', to: 'place' },
      { place: 'A|B' },
      'PID' + '|'.repeat(23) + 'A\\F\\B',
    ],
    ['a component', { from: 'PID-2.3', to: 'a.b' }, { a: { b: 'x' } }, 'PID||^^x'],
    [
      'a function',
      { from: 'PID-7', to: 'birthDate', fn: 'date' },
      { birthDate: '1980-05' },
      'PID|||||||198005',
    ],
    [
      'a table',
      { from: 'PID-8', to: 'gender', table: 'sex' },
      { gender: 'female' },
      'PID||||||||F',
    ],
    [
      'the preferred of several codes',
      { from: 'PID-8', to: 'gender', table: 'sex' },
      { gender: 'other' },
      'PID||||||||O',
    ],
    ['each repetition', { from: 'PID-3[*]', to: 'alias[+]' }, { alias: ['a', 'b'] }, 'PID|||a~b'],
    [
      'a list without repetitions, once',
      { from: 'PID-3', to: 'alias[+]' },
      { alias: ['a', 'b'] },
      'PID|||a',
    ],
    [
      'one text of all repetitions',
      { from: 'PID-3[*]', to: 'note', join: '; ' },
      { note: 'a; b' },
      'PID|||a~b',
    ],
    [
      'a constant for a field',
      { from: 'PID-30', to: 'dead', const: true, when: "PID-30 = 'Y'" },
      { dead: true },
      'PID' + '|'.repeat(30) + 'Y',
    ],
    [
      'a condition, which is made to hold',
      { from: 'PID-5', to: 'n', when: "PID-6 = 'Q'" },
      { n: 'x' },
      'PID|||||x|Q',
    ],
    ['nothing of a constant', { to: 'status', const: 'ok' }, { status: 'ok' }, undefined],
    ['nothing that another segment has', { from: 'PV1-2', to: 'class' }, { class: 'I' }, undefined],
  ])('gives %s', (_, rule, resource, expected) => {
    expect(toPid([{ id: 'r', ...rule }], resource, [sex])).toBe(expected);
  });

  test('leaves a place to the rule that wrote it first', () => {
    const rules = [
      { id: 'a', from: 'PID-3', to: 'one' },
      { id: 'b', from: 'PID-3', to: 'two' },
    ];
    const result = run([map(rules), message()], { one: 'x', two: 'y' });
    expect(result.message).toContain('PID|||x\r');
    expect(result.unconsumed).toEqual(['Patient.two']);
  });

  test('does not hold where a condition asks for an empty place that is not empty', () => {
    const rules = [
      { id: 'a', from: 'PID-3', to: 'one' },
      { id: 'b', from: 'PID-4', to: 'two', when: 'PID-3 not valued' },
    ];
    expect(toPid(rules, { one: 'x', two: 'y' })).toBe('PID|||x');
    expect(toPid(rules, { two: 'y' })).toBe('PID||||y');
  });

  test('says where each value came from', () => {
    const result = run([map([{ id: 'r', from: 'PID-23', to: 'place' }]), message()], {
      place: 'x',
    });
    expect(result.provenance).toEqual([
      { target: 'PID-23[1]', source: 'Patient.place', rule: 'PID.Patient#r' },
    ]);
  });
});

describe('a list that several rules add to', () => {
  const rules = [
    { id: 'id', from: 'PID-3[*]', to: 'identifier[+].value' },
    {
      id: 'ssn',
      from: 'PID-19',
      to: 'identifier[+].value',
      also: { 'identifier[-1].system': 'ssn' },
    },
    { id: 'ssn-end', from: 'PID-20', to: 'identifier[-1].end' },
  ];

  test('gives each item to the rule that takes the most of it, and what completes it beside it', () => {
    const identifier = [{ value: '1' }, { system: 'ssn', value: '2', end: '2030' }];
    expect(toPid(rules, { identifier })).toBe(`PID|||1${'|'.repeat(16)}2|2030`);
  });

  test('never gives an identifier that Hilum has made', () => {
    const identifier = [{ system: 'urn:hilum:patient', value: 'x' }, { value: '1' }];
    expect(toPid(rules, { identifier })).toBe('PID|||1');
  });

  test('an element is none of a map that writes another constant', () => {
    const parts = [
      datatype('L.active', 'PL', [
        { id: 'p', from: '1', to: 'place' },
        { id: 's', to: 'status', const: 'active' },
      ]),
      datatype('L.planned', 'PL', [
        { id: 'p', from: '1', to: 'place' },
        { id: 's', to: 'status', const: 'planned' },
      ]),
    ];
    const both = [
      { id: 'a', from: 'PID-3', to: 'location[+]', via: 'L.active' },
      { id: 'b', from: 'PID-4', to: 'location[+]', via: 'L.planned' },
    ];
    const location = [
      { place: 'X', status: 'planned' },
      { place: 'Y', status: 'left' },
    ];
    expect(toPid(both, { location }, parts)).toBe('PID||||X');
  });
});

describe('a declared rule', () => {
  const declare = (rule: object): readonly object[] => [{ id: 'r', dir: 'toV2', ...rule }];

  test.each<[string, object, object, string | undefined]>([
    ['a path in FHIR', { from: 'a[1].b', to: 'PID-3' }, { a: [{ b: '1' }, { b: '2' }] }, 'PID|||2'],
    [
      'all from one on',
      { from: 'line[1+]', to: 'PID-3', join: ', ' },
      { line: ['a', 'b', 'c'] },
      'PID|||b, c',
    ],
    [
      'each as a repetition',
      { from: 'line[*]', to: 'PID-3[+]' },
      { line: ['a', 'b'] },
      'PID|||a~b',
    ],
    [
      'a constant by a condition',
      { to: 'PID-3', const: 'Z', when: "status in ('x', 'y')" },
      { status: 'y' },
      'PID|||Z',
    ],
    [
      'a table, read backwards',
      { from: 'gender', to: 'PID-8', table: 'sex' },
      { gender: 'female' },
      'PID||||||||F',
    ],
    [
      'constants beside it',
      { from: 'a', to: 'PID-3', also: { 'PID-4': 'T' } },
      { a: 'x' },
      'PID|||x|T',
    ],
    ['a field of the message', { from: 'MSH-7', to: 'PID-7' }, {}, 'PID|||||||20260102'],
    [
      'nothing where its condition fails',
      { from: 'a', to: 'PID-3', when: 'b valued' },
      { a: 'x' },
      undefined,
    ],
  ])('gives %s', (_, rule, resource, expected) => {
    expect(toPid(declare(rule), resource, [sex])).toBe(expected);
  });

  test('is only for the way back, and one of `dir: toFhir` only for the way there', () => {
    const rules = [
      { id: 'there', from: 'PID-3', to: 'a', dir: 'toFhir' },
      { id: 'back', from: 'a', to: 'PID-4', dir: 'toV2' },
    ];
    expect(toPid(rules, { a: 'x' })).toBe('PID||||x');
  });

  test('names what is wrong with it, by file, line and rule', () => {
    const rules = [
      { id: 'from', from: 'a..b', to: 'PID-3', dir: 'toV2' },
      { id: 'to', from: 'a', to: 'nowhere', dir: 'toV2' },
      { id: 'when', from: 'a', to: 'PID-3', when: 'a matches x', dir: 'toV2' },
    ];
    const compiled = compileReverse([map(rules), message()]);
    expect(compiled.ok ? [] : compiled.issues.map(({ location }) => location)).toEqual([
      'segment/PID.Patient.map.json:1:from',
      'segment/PID.Patient.map.json:1:to',
      'segment/PID.Patient.map.json:1:when',
    ]);
  });
});

test('a message map names maps that are not there and selectors that select nothing', () => {
  const files = [message({ maps: ['PID.None'], with: 'patient' })];
  const compiled = compileReverse(files);
  expect(compiled.ok ? [] : compiled.issues.map(({ message: text }) => text)).toEqual([
    'patient selects nothing: expected Observation, @label, @label.path, Observation.path=@label, Observation.path!=@label or Observation.path~@label.path',
    'maps: there is no segment map PID.None',
  ]);
});

test('what becomes of each rule is told, with the reason', () => {
  const rules = [
    { id: 'set', from: 'PID-1', ignore: 'A number.' },
    { id: 'id', from: 'PID-3[*]', to: 'alias[+]' },
    { id: 'old', from: 'PID-4[*]', to: 'alias[+]' },
    { id: 'sex', from: 'PID-8', to: 'gender', table: 'sex' },
    { id: 'odd', from: 'PID-9', to: 'odd', fn: 'structuredNumber' },
    { id: 'back', from: 'x', to: 'PID-5', dir: 'toV2' },
  ];
  const compiled = compileReverse([map(rules), sex]);
  const listed = compiled.ok ? compiled.mapper.rulesOf('PID.Patient') : undefined;
  expect(listed?.map(({ id, reverse }) => `${id} ${reverse}`)).toEqual([
    'set none',
    'id derived',
    'old fallback',
    'sex equivalent',
    'odd none',
    'back declared',
  ]);
  expect(listed?.at(4)?.why).toContain('structuredNumber');
});

describe('a code that no code of the table becomes', () => {
  const rules = [{ id: 'r', from: 'PID-8', to: 'gender', table: 'sex' }];

  test.each([
    ['is left out with a warning', {}, 'code-unmapped warning', undefined],
    ['is kept', { onUnmapped: 'keep' }, '', 'PID||||||||none'],
    ['is an error', { onUnmapped: 'error' }, 'code-unmapped error', undefined],
    ['holds the message', { onUnmapped: 'hold' }, 'code-unmapped-held error', undefined],
  ])('%s', (_, policy, issue, expected) => {
    const files = [map([{ ...rules[0], ...policy }]), message(), sex];
    const result = run(files, { gender: 'none' });
    expect(result.issues.map(({ code, severity }) => `${code} ${severity}`).join()).toBe(issue);
    expect(result.message?.split('\r').find((line) => line.startsWith('PID'))).toBe(expected);
    const held = {
      table: 'sex',
      code: 'none',
      map: 'PID.Patient',
      rule: 'r',
      location: 'PID-8[1]',
    };
    expect(result.held).toEqual(issue.includes('held') ? [held] : []);
  });
});

test('a reference to what is not in the Bundle is named', () => {
  const rules = [{ id: 'r', from: 'PID-3', to: 'doctor', resource: 'Practitioner', via: 'XCN' }];
  const xcn = toFile('datatype/XCN', {
    kind: 'DatatypeMap',
    id: 'XCN',
    source: { v2: 'XCN' },
    target: { fhir: 'Practitioner' },
    identity: { request: 'create', system: 'urn:hilum:practitioner', key: { by: [['1']] } },
    rules: [{ id: 'n', from: '1', to: 'name' }],
  });
  const result = run([map(rules), message(), xcn], { doctor: { reference: 'Practitioner/9' } });
  expect(result.issues.map(({ code, location }) => [code, location])).toEqual([
    ['reference-unresolved', 'Patient.doctor'],
  ]);
  expect(result.unconsumed).toEqual(['Patient']);
});

test('a layer replaces and disables parts of a message', () => {
  const layer = toFile('layers/acme/ADT.toV2', {
    kind: 'V2MessageMap',
    id: 'ADT.toV2@acme',
    extends: 'ADT.toV2',
    layer: 'acme',
    segments: [
      {
        id: 'pid',
        override: 'replace',
        segment: 'ZPI',
        with: 'Patient',
        rules: [{ id: 'z', to: 'ZPI-1', const: 'x' }],
      },
    ],
  });
  const compiled = compileReverse([map([]), message(), layer], { layers: ['acme'] });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const made = compiled.mapper.map(
    { resourceType: 'Patient' },
    { date: '20260102', controlId: '1' },
  );
  expect(made.message).toMatch(/\rZPI\|x\r$/);
});
