import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import type { Issue } from '../../../core/issue.ts';
import { compareMasked, keepMasks } from '../../../core/mapping/compare.ts';
import { findRulePlaces, findUnexercised } from '../../../core/mapping/cases/coverage.ts';
import { parseCases } from '../../../core/mapping/cases/document.ts';
import { describeUnknownField } from '../../../core/mapping/cases/unknown-field.ts';
import { runCase, type CaseTools } from '../../../core/mapping/cases/run.ts';
import { type MappingFile, compileMappings } from '../../../core/mapping/mapper.ts';
import { compileReverse } from '../../../core/mapping/reverse.ts';
import { smallMappings } from '../../support/small-mappings.ts';

function parse(text: string, path = 'tests/small.case.yaml') {
  const issues: Issue[] = [];
  const cases = parseCases({ path, text }, issues);
  return { cases, issues: issues.map(({ location, message }) => `${location ?? ''} ${message}`) };
}

const head = "header: 'MSH|^~\\&|||||||ADT^A01'";
const named = (pid: string, ...more: string[]) =>
  `- name: a patient\n  ${[head, `segments: ['${pid}']`, ...more].join('\n  ')}\n`;

function run(text: string, { path, ...tools }: Partial<CaseTools> & { path?: string } = {}) {
  const { cases, issues } = parse(text, path);
  expect(issues).toEqual([]);
  const [one] = cases;
  if (one === undefined) throw new Error('no case');
  const compiled = compileMappings(smallMappings, { layers: one.layers });
  const back = compileReverse(smallMappings, { layers: one.layers });
  if (!compiled.ok || !back.ok) throw new Error('the maps do not compile');
  const { mapper } = compiled;
  return runCase(one, { mapper, reverse: back.mapper, validate: () => [], ...tools });
}

const told = (text: string, tools?: Parameters<typeof run>[1]): readonly string[] =>
  run(text, tools).findings.map(({ kind, message }) => `${kind} ${message}`);

describe('a case file', () => {
  test('is a list of cases, each with its line; the folder of a layer is its layer', () => {
    const { cases } = parse(
      `# first\n${named('PID|1')}${named('PID|2')}`,
      'layers/acme/a.case.yaml',
    );
    expect(cases).toMatchObject([
      { line: 2, layers: ['acme'] },
      { line: 5, layers: ['acme'] },
    ]);
  });

  test.each([
    ['- {', 'tests/small.case.yaml:1 '],
    [
      '- name: x\n',
      'tests/small.case.yaml:1 The case: expected "message", or "segments", or "resources" and "values", or ',
    ],
    [
      '- name: x\n  segments: [MSH]\n  zone: Berlin\n',
      ':3 zone: expected one such as +01:00 or Europe/Berlin',
    ],
    [
      '- name: x\n  segments: [MSH]\n  facs: {}\n',
      ':1 The case: "facs" has no meaning here. Did you mean "facts"?',
    ],
    ['- name: x\n  segments: [MSH]\n  assert:\n    - 7\n', ':4 assert.0: must be string'],
  ])('is refused by file and line where it is wrong: %j', (text, words) => {
    expect(parse(text).issues.join('\n')).toContain(words);
  });
});

test.each([
  ['what a choice asks for', '- name: x\n'],
  ['what is no YAML, by what comes first', '- name: x\n  facts: { Patient[0].gender: male }\n'],
])('a case file is told once %s', (_, text) => {
  expect(parse(text).issues).toHaveLength(1);
});

test.each([
  ['PID-8', ''],
  ['PID-99', '; no version of HL7 v2 has PID-99'],
  ['PDI-5[*]', '; no version of HL7 v2 has a segment PDI'],
  ['ZPI-5', ''],
  ['4.1', ''],
])('what a rule reads is looked up in HL7 v2: %s', (from, words) => {
  expect(describeUnknownField(from, openDefinitions())).toBe(words);
});

describe('a case', () => {
  test('passes where everything is as it says', () => {
    const more = [
      "facts: { 'Patient[0].gender': female, 'Patient[-1].name': '*', count.Patient: 1 }",
      'unconsumed: [MSH-9, PID-9]',
      'issues: []',
    ];
    expect(told(named('PID|||C3||Low||1980|F|Ali', ...more))).toEqual([]);
  });

  test('may be a whole message, a line a segment', () => {
    const message = `- name: whole\n  message: |\n    ${head.slice("header: '".length, -1)}\n    PID|||C3||Low\n  facts: { 'Patient[0].name[0].family': Low }\n`;
    expect(told(message)).toEqual([]);
  });

  test('says what was expected and what was found', () => {
    const more = [
      "facts: { 'Patient[0].gender': male, 'Patient[0].name[0]': { family: '*', given: [Al] } }",
      'unconsumed: []',
      'issues: [code-unmapped]',
    ];
    expect(told(named('PID|||C3||Low||1980|F|Ali', ...more))).toEqual([
      'fact Patient[0].gender: expected "male", found "female"',
      'fact Patient[0].name[0].given: expected ["Al"], found nothing',
      'unconsumed expected [], found ["MSH-9","PID-9"]',
      'issues expected ["code-unmapped"], found []',
    ]);
  });

  test('fails for a message of which nothing can be made, unless it says that by its issues', () => {
    const other = `- name: x\n  ${head.replace('A01', 'A99')}\n  segments: ['PID|1']\n`;
    expect(told(other)).toEqual([
      'issues expected a Bundle, found nothing but ["message-type-unmapped"]',
    ]);
    expect(told(`${other}  issues: [message-type-unmapped]\n`)).toEqual([]);
    const torn = `- name: x\n  message: PID|1\n`;
    expect(told(torn)[0]).toMatch(/^message /);
  });

  test('fails for what is no valid FHIR', () => {
    const issue: Issue = { code: 'x', severity: 'error', location: 'Patient', message: 'no good' };
    expect(told(named('PID|||C3||Low'), { validate: () => [issue] })).toEqual([
      'law Invalid FHIR: Patient: no good',
    ]);
  });

  test('takes an assertion that is not exactly true for failed', () => {
    const text = named('PID|||C3||Low', 'assert: [a, b, c, d]');
    const evaluate = (_: readonly object[], expression: string): readonly unknown[] => {
      if (expression === 'd') throw new Error('no path');
      return { a: [true], b: [false], c: [] }[expression] ?? [];
    };
    expect(told(text, { evaluate })).toEqual([
      'assert b: expected true, found false',
      'assert c: expected true, found nothing',
      'assert d: expected true, found no path',
    ]);
  });

  test('compares with the golden output, but for what is masked there', () => {
    const text = named('PID|||C3||Low', 'golden: low.json');
    expect(told(text)).toEqual(['golden low.json is not there; --update writes it']);
    const { resource } = run(text);
    const golden = JSON.parse(JSON.stringify(resource)) as { entry: { fullUrl: string }[] };
    expect(told(text, { golden })).toEqual([]);
    golden.entry[0]!.fullUrl = '*';
    expect(told(text, { golden })).toEqual([]);
    golden.entry[0]!.fullUrl = 'urn:other';
    expect(told(text, { golden })[0]).toMatch(
      /^golden Bundle.entry\[0\].fullUrl: expected "urn:other", found "urn:uuid:/,
    );
  });
});

test('a mask stands for anything, and for nothing that is not there', () => {
  expect(compareMasked({ a: '*', b: ['*', 2] }, { a: 1, b: [{ c: 1 }, 2] })).toEqual([]);
  expect(compareMasked({ a: '*', b: [1] }, { b: [1, 2] })).toEqual([
    { path: 'a', expected: '*', found: undefined },
    { path: 'b[1]', expected: undefined, found: 2 },
  ]);
});

describe('a case of resources', () => {
  const back: readonly MappingFile[] = [
    ...smallMappings,
    {
      path: 'message/ADT_A28.toV2.map.yaml',
      text: [
        'kind: V2MessageMap',
        'id: ADT_A28.toV2',
        'source: { fhir: [Patient] }',
        'target: { v2: ADT_A05 }',
        "events: [{ event: 'ADT^A28' }]",
        'segments:',
        '  - id: patient',
        '    segment: PID',
        '    with: Patient',
        '    rules: [{ id: PID-1.set-id, to: PID-1, const: "1" }, { id: PID-2.never, from: never, to: PID-2 }]',
        '    maps: [PID.Patient]',
      ].join('\n'),
    },
  ];
  const compiled = compileReverse(back);
  if (!compiled.ok) throw new Error('the maps do not compile');
  const one = (values: string): string =>
    `- name: a patient\n  resources: [{ resourceType: Patient, gender: female }]\n  values: { ${values} }\n`;

  test('names what stands elsewhere in the message than it says', () => {
    const tools = { reverse: compiled.mapper };
    expect(told(one("PID-8: F, PID-1: '*', PID-7: ''"), tools)).toEqual([]);
    expect(told(one('PID-8: M'), tools)).toEqual(['value PID-8: expected "M", found "F"']);
  });

  test('exercises the rules of the way back, and none of the other', () => {
    const places = findRulePlaces(back).filter(({ layer }) => layer === 'base');
    const left = findUnexercised(places, [run(one('PID-8: F'), { reverse: compiled.mapper })]);
    expect(left.filter(({ way }) => way === 'toV2').map(({ rule }) => rule)).toEqual([
      'ADT_A28.toV2#PID-2.never',
    ]);
    expect(left.some(({ rule }) => rule === 'PID.Patient#PID-8.gender')).toBe(true);
  });
});

test('a golden output that is written anew keeps its masks where something stands', () => {
  const before = { id: '*', gone: '*', list: [{ at: '*' }] };
  expect(keepMasks(before, { id: 'x', more: 1, list: [{ at: 2 }, { at: 3 }] })).toEqual({
    id: '*',
    more: 1,
    list: [{ at: '*' }, { at: 3 }],
  });
});

describe('coverage', () => {
  const places = findRulePlaces(smallMappings);
  const left = (...results: readonly ReturnType<typeof run>[]) =>
    findUnexercised(places, results).map(({ rule, layer, path, line }) =>
      [layer, rule, `${path}:${line}`].join(' '),
    );

  test('names what no case exercises, by its file and line', () => {
    expect(left(run(named('PID|||C3||Low||1980')))).toEqual([
      'acme PID.Patient#PID-23.birth-place layers/acme/PID.Patient.map.yaml:7',
      'base PID.Patient#PID-8.gender segment/PID.Patient.map.yaml:9',
    ]);
  });

  const blocks: readonly MappingFile[] = [
    ...smallMappings.filter(({ path }) => !path.startsWith('message/')),
    {
      path: 'block/mother.map.yaml',
      text: `kind: MessageBlock
id: mother
resources:
  - id: mother
    resource: Patient
    maps: [PID.Patient, NK1.Patient]
    when: PID-21 valued
    identity: { request: update, system: urn:hilum:mother, key: { by: [[PID-21]] } }
    references:
      - { id: mother.child, to: link, resource: patient }
      - { id: mother.first, to: link, resource: patient, when: PID-25 = '1' }
`,
    },
    ...['ADT_A01', 'ADT_A08'].map((id) => ({
      path: `message/${id}.map.yaml`,
      text: `kind: MessageMap
id: ${id}
source: { messages: [${id.replace('_', '^')}] }
structure: { segments: [MSH, PID, NK1], groups: [] }
resources:
  - id: patient
    resource: Patient
    maps: [PID.Patient]
    identity: { request: update, system: urn:hilum:patient, key: { by: [[PID-3.1]] } }
  - include: mother
`,
    })),
    {
      path: 'segment/NK1.Patient.map.yaml',
      text: 'kind: SegmentMap\nid: NK1.Patient\nsource: { v2: NK1 }\ntarget: { fhir: Patient }\nrules: [{ id: NK1-1, from: NK1-1, ignore: A number. }]\n',
    },
  ];

  test('counts what message maps consist of, of a block once, and that each map has something of it', () => {
    const cases = [
      named('PID|||C3||Low||1980|F'),
      named(`PID|||C3||Low||1980|F${'|'.repeat(13)}C1`).replace('A01', 'A08'),
    ].map((text) => {
      const [one] = parse(text).cases;
      const compiled = compileMappings(blocks);
      const back = compileReverse(blocks);
      if (one === undefined || !compiled.ok || !back.ok) throw new Error('does not compile');
      return runCase(one, { mapper: compiled.mapper, reverse: back.mapper, validate: () => [] });
    });
    const places = findRulePlaces(blocks).filter(({ layer }) => layer === 'base');
    const unexercised = findUnexercised(places, cases);
    expect(unexercised.map(({ rule, path, line }) => `${rule} ${path}:${line}`)).toEqual([
      'mother#mother NK1.Patient block/mother.map.yaml:6',
      'mother#mother.first block/mother.map.yaml:11',
      'ADT_A01#include mother message/ADT_A01.map.yaml:10',
      'NK1.Patient#NK1-1 segment/NK1.Patient.map.yaml:5',
    ]);
  });

  test('takes a rule of a layer for exercised only by a case of that layer', () => {
    const pid = `PID|||C3||Low||1980|F${'|'.repeat(15)}Town`;
    const base = run(named(pid));
    expect(left(base)).toHaveLength(1);
    expect(left(base, run(named(pid), { path: 'layers/acme/x.case.yaml' }))).toEqual([]);
  });
});
