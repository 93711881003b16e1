import { readMappingFiles } from '../../../connectors/file/mapping-files.ts';
import { compileMappings } from '../../../core/mapping/mapper.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { mappingsFolder } from '../../mappings/support.ts';
import {
  patientLayer,
  patientMessage,
  patientSegment,
  writeMappingFiles,
} from '../../support/small-mappings.ts';
import { makeTempFolder } from '../../support/temp.ts';

test('the shipped mappings compile, read from their folder', async () => {
  const files = await readMappingFiles(mappingsFolder);
  const result = compileMappings(files);
  expect(result.ok ? result.mapper.messageTypes : result.issues).toContain('ORU^R01');
  await expect(readMappingFiles(`${mappingsFolder}/nowhere`)).rejects.toThrow('cannot be read');
});

test('a file of a layer whose name is nearly that of a mapping file is not left out unseen', async () => {
  const folder = makeTempFolder('misnamed');
  const names = ['a.map.yaml', 'b.yaml', 'c.CSV', 'd.xlsx', 'README.md', 'tests/e.case.yaml'];
  writeMappingFiles(
    folder,
    names.map((name) => ({ path: `layers/acme/${name}`, text: patient.text })),
  );
  writeMappingFiles(folder, [{ path: 'notes.yaml', text: '' }]);
  const files = await readMappingFiles(folder);
  const paths = ['a.map.yaml', 'b.yaml', 'c.CSV'].map((name) => `layers/acme/${name}`);
  expect(files.map(({ path }) => path)).toEqual(paths);
  expect(findIssues(...files.slice(1))).toEqual(
    paths
      .slice(1)
      .map((path): unknown => expect.stringContaining(`${path} Expected a name that ends in`)),
  );
});

const file = (path: string, text: string): MappingFile => ({ path, text });

const message = patientMessage('ORU^R01', { more: ['ZAL'] });
const patient = patientSegment(
  '{ id: PID-8.gender, from: PID-8, to: gender, table: sex }',
  '{ id: PID-7.birth, from: PID-7, to: birthDate, fn: date }',
  '{ id: PID-1.ignored, from: PID-1, ignore: A number within the message. }',
);
const sex = file(
  'tables/sex.conceptmap.json',
  JSON.stringify({
    resourceType: 'ConceptMap',
    id: 'sex',
    group: [{ element: [{ code: 'F', target: [{ code: 'female' }] }] }],
  }),
);

const smallHead = 'kind: SegmentMap\nid: X\nsource: { v2: PID }\ntarget: { fhir: Patient }\n';

function findIssues(...files: MappingFile[]): string[] {
  const result = compileMappings(files);
  return result.ok
    ? []
    : result.issues.map(({ location, message: text }) => `${location ?? ''} ${text}`);
}

function mapWith(files: MappingFile[], layers: string[], text: string) {
  const result = compileMappings(files, { layers });
  if (!result.ok) throw new Error(result.issues.map((issue) => issue.message).join('; '));
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error('not parsed');
  return result.mapper.map(parsed.message);
}

const oru = (pid: string, type = 'ORU^R01'): string =>
  `MSH|^~\\&|A|B|||20260102||${type}|M1|P|2.5\r${pid}`;

describe('compileMappings', () => {
  test('compiles what is right', () => {
    expect(findIssues(message, patient, sex)).toEqual([]);
  });

  test.each(['\\n', '\\u2028', '\\r'])(
    'refuses an id with %s, which would end a comment in code',
    (end) => {
      const rules = `rules:\n  - { id: "a${end}b", from: PID-8, to: gender, table: sex }\n`;
      const odd = { ...patient, text: patient.text.replace(/rules:[^]*/, rules) };
      expect(findIssues(message, odd, sex)[0]).toContain('id: must match pattern');
    },
  );

  const targets = [
    ...['__proto__.gender', 'constructor.prototype.gender', 'name[0].toString.gender'],
    ...['name[0].a-b', 'a;b'],
  ];
  test.each(targets)('refuses the target %s', (to) => {
    for (const where of [`to: "${to}"`, `to: gender, also: { "${to}": X }`]) {
      const rules = `rules:\n  - { id: a, from: PID-8, ${where} }\n`;
      const odd = { ...patient, text: patient.text.replace(/rules:[^]*/, rules) };
      expect(findIssues(message, odd, sex)[0]).toContain('is no path');
    }
  });

  test.each(['fn: constructor', 'when: PID-8 is constructor', 'when: count(PID-8) valueOf 1'])(
    'takes what every object has for nothing of its own: %s',
    (part) => {
      const rules = `rules:\n  - { id: a, from: PID-8, to: gender, ${part} }\n`;
      const odd = { ...patient, text: patient.text.replace(/rules:[^]*/, rules) };
      expect(findIssues(message, odd, sex)[0]).toMatch(/no function|expected/);
    },
  );

  test('takes no such name for a kind', () => {
    const odd = { ...patient, text: patient.text.replace('SegmentMap', 'constructor') };
    expect(findIssues(message, odd, sex)[0]).toContain('Expected kind');
  });

  test('makes text of texts whatever stands in them', () => {
    const odd = '\'"`${[]}\\\u2028\n*/ // </script>';
    const quoted = JSON.stringify(odd);
    const condition = JSON.stringify('PID-8 = "`${x}\\" or PID-8 valued');
    const rules = `rules:
  - { id: a, from: PID-8, to: gender, const: ${quoted}, when: ${condition}, also: { name: [{ text: ${quoted} }] } }
  - { id: b, from: 'PID-3[*].1', to: language, join: ${quoted} }
`;
    const map = { ...patient, text: patient.text.replace(/rules:[^]*/, rules) };
    const { resource, issues } = mapWith([message, map, sex], [], oru('PID|||1~2|||||F'));
    expect(issues).toEqual([]);
    const made = resource?.entry?.map((entry) => entry.resource);
    expect(made).toContainEqual(
      expect.objectContaining({ gender: odd, name: [{ text: odd }], language: `1${odd}2` }),
    );
  });

  test('says everything that is wrong at once, by file, line and rule', () => {
    const broken = patientSegment(
      '{ id: path, from: PID.8, to: gender }',
      "{ id: target, from: PID-8, to: 'a..b' }",
      '{ id: table, from: PID-8, to: gender, table: nowhere }',
      '{ id: function, from: PID-8, to: gender, fn: nothing }',
      '{ id: map, from: PID-8, to: gender, via: CX.Nothing }',
      "{ id: condition, from: PID-8, to: gender, when: PID-8 equals 'F' }",
      '{ id: resource, from: PID-8, to: gender, resource: Patient }',
      '{ id: twice, from: PID-8, to: gender }',
      '{ id: twice, from: PID-8, to: gender }',
    );
    const found = findIssues(message, broken);
    const rules = ['path', 'target', 'table', 'function', 'map', 'condition', 'resource', 'twice'];
    expect(found).toHaveLength(rules.length);
    rules.forEach((rule, index) => {
      const line = rule === 'twice' ? 13 : 6 + index;
      expect(found[index]).toContain(`segment/PID.Patient.map.yaml:${line}:${rule} `);
    });
  });

  test('says what is wrong with an identity and with what stands beside a reference', () => {
    const broken = file(
      message.path,
      message.text
        .replace('key:', 'from: [PID-3, MRG-1 as PID-3, PID-3 as number, MRG-1 to PID-3], key:')
        .concat(
          "    references:\n      - { id: link, to: other, resource: patient, also: { 'a..b': 1 } }\n",
        ),
    );
    expect(findIssues(broken, patient, sex)).toEqual([
      expect.stringContaining('message/ORU_R01.map.yaml:11:link also: a..b is no path'),
      expect.stringContaining(
        'message/ORU_R01.map.yaml:6:patient from: PID-3 as number is no field',
      ),
      expect.stringContaining(
        'message/ORU_R01.map.yaml:6:patient from: MRG-1 to PID-3 is no field',
      ),
    ]);
  });

  test.each([
    [
      'a misspelt word, and says which may be meant',
      'rules:\n  - { id: a, form: PID-3, to: identifier }',
      ':6:a rules/0: "form" has no meaning here. Did you mean "from"?',
    ],
    ['a rule that does nothing', 'rules:\n  - { id: a, from: PID-3 }', ':6:a '],
    [
      'a map that says neither from what to what nor over which',
      'rules: []',
      ':1 The file: expected "source" and "target", or "extends" and "layer"',
      'kind: SegmentMap\nid: X\n',
    ],
    ['a missing part', 'layer: acme', ':1 The file: expected "rules", found none'],
    [
      'a word that may not stand there',
      'rules:\n  - { id: a, from: PID-3, to: identifier, dir: back }',
      ':6:a rules/0/dir: expected one of toFhir, toV2',
    ],
  ])('refuses %s', (_, rules, where, head = smallHead) => {
    const found = findIssues(file('segment/X.map.yaml', head + rules));
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toContain(`segment/X.map.yaml${where}`);
  });

  test.each([
    ['a function', 'fn: dat', 'fn: there is no function dat. Did you mean "date"?'],
    ['a table', 'table: sxe', 'table: there is no table sxe. Did you mean "sex"?'],
    ['a map', 'via: PID.Patent', 'via: there is no map PID.Patent. Did you mean "PID.Patient"?'],
    ['a table beside a function', 'fn: code, table: sex', 'fn: expected it without via and table'],
  ])('says of %s what may be meant', (_, how, words) => {
    const odd = patientSegment(`{ id: a, from: PID-8, to: gender, ${how} }`);
    expect(findIssues(message, odd, sex).join()).toContain(words);
  });

  test.each(['PID-0', 'PID-3[0]', 'PID-3.0', 'PID-3.1.0'])('counts from 1: %s', (from) => {
    const odd = patientSegment(`{ id: a, from: '${from}', to: gender }`);
    expect(findIssues(message, odd, sex).join()).toContain(`from: ${from} is no path`);
  });

  test('refuses what is not UTF-8, and names JSON as such', () => {
    const latin = { ...patient, text: patient.text.replace('A number', 'Eine Zahl f\uFFFDr') };
    expect(findIssues(message, latin, sex)).toContain(
      'segment/PID.Patient.map.yaml:8 The file is not UTF-8; save it again as UTF-8',
    );
    expect(findIssues(message, patient, { ...sex, text: '{,}' }).join()).toContain(
      'tables/sex.conceptmap.json The file is no JSON: ',
    );
  });

  test('refuses what is no YAML, no map, or there twice', () => {
    expect(findIssues(file('a.map.yaml', 'kind: [')).join()).toContain(
      'a.map.yaml The file is no YAML',
    );
    expect(findIssues(file('a.map.yaml', 'rules:\n  - { id: a }\n - { id: b }\n')).join()).toMatch(
      /at line 3, column 1; what belongs together begins in the same column$/,
    );
    expect(findIssues(file('a.map.yaml', 'kind: Poem')).join()).toContain('Expected kind');
    expect(findIssues(message, patient, sex, sex).join()).toContain(
      'another table with the id sex',
    );
    expect(findIssues(message, patient, patient, sex).join()).toContain('another map with the id');
    expect(findIssues(message, sex).join()).toContain(
      'message/ORU_R01.map.yaml:6:patient maps: there is no',
    );
  });
});

describe('layers', () => {
  const layer = (rules: string): MappingFile =>
    file(
      'layers/acme/PID.map.yaml',
      `kind: SegmentMap\nid: PID.Patient@acme\nextends: PID.Patient\nlayer: acme\nrules:\n${rules}`,
    );
  const text = oru('PID|1||7|||' + '|19800102|F||||5');

  test('replace, disable and add rules, only where they are active', () => {
    const acme = layer(`  - { id: PID-8.gender, override: disable, note: not reliable }
  - { id: PID-7.birth, override: replace, const: '1900', to: birthDate }
  - { id: PID-12.county, override: add, from: PID-12, to: 'address[0].district' }
`);
    const files = [message, patient, sex, acme];
    expect(mapWith(files, [], text).resource?.entry?.[0]?.resource).toMatchObject({
      gender: 'female',
      birthDate: '1980-01-02',
    });
    const over = mapWith(files, ['acme'], text);
    expect(over.resource?.entry?.[0]?.resource).toMatchObject({
      birthDate: '1900',
      address: [{ district: '5' }],
    });
    expect(over.resource?.entry?.[0]?.resource).not.toHaveProperty('gender');
    expect(over.unconsumed).toEqual([
      'MSH-3',
      'MSH-4',
      'MSH-7',
      'MSH-9',
      'MSH-10',
      'MSH-11',
      'MSH-12',
      'PID-3',
      'PID-7',
      'PID-8',
    ]);
  });

  test.each([
    ['Did you mean "PID-8.gender"?', '{ id: PID-8.gendre, override: disable }'],
    ['disable', '{ id: nothing, override: disable }'],
    ['replace', '{ id: nothing, override: replace, from: PID-8, to: gender }'],
    ['add', '{ id: PID-8.gender, override: add, from: PID-8, to: gender }'],
    ['expected replace, disable or add', '{ id: PID-8.gender, from: PID-8, to: gender }'],
  ])('say what does not fit: %s', (word, rule) => {
    const result = compileMappings([message, patient, sex, layer(`  - ${rule}`)], {
      layers: ['acme'],
    });
    expect(result.ok).toBe(false);
    expect(result.ok ? '' : result.issues[0]?.message).toContain(word);
  });

  test('are refused where they are of another kind than the map', () => {
    const good = layer('  - { id: more, override: add, from: PID-10, ignore: x }\n');
    const odd = { ...good, text: good.text.replace('SegmentMap', 'DatatypeMap') };
    const result = compileMappings([message, patient, sex, odd], { layers: ['acme'] });
    expect(result.ok ? [] : result.issues.map(({ message: words }) => words)).toEqual([
      'extends: PID.Patient is of another kind; expected kind: SegmentMap',
    ]);
  });

  test('say that a rule is twice in a file of theirs, and not that the map has it', () => {
    const rule = '  - { id: more, override: add, from: PID-10, ignore: x }\n';
    const result = compileMappings([message, patient, sex, layer(rule + rule)], {
      layers: ['acme'],
    });
    expect(result.ok ? [] : result.issues.map(({ message: words }) => words)).toEqual([
      'There is another rule with this id in the file',
    ]);
  });

  test.each([
    ['a layer that is none', 'layers/acme/X.map.yaml', 'nowhere', '; there are acme'],
    ['a layer that is nearly one', 'layers/acme/X.map.yaml', 'acmee', '. Did you mean "acme"?'],
  ])('tell which there are, of %s', (_, path, asked, words) => {
    const good = layer('  - { id: more, override: add, from: PID-10, ignore: x }\n');
    const result = compileMappings([message, patient, sex, { ...good, path }], { layers: [asked] });
    expect(result.ok ? '' : result.issues[0]?.message).toBe(
      `There is no mapping file of the layer ${asked}${words}`,
    );
  });

  test.each([
    ['its only file is faulty', 'rules: [', 'The file is no YAML'],
    ['its file says another name', 'layer: north', 'Expected layer: acme, as the folder is named'],
  ])('are not said to be missing where %s', (_, wrong, words) => {
    const good = layer('  - { id: more, override: add, from: PID-10, ignore: x }\n');
    const text = wrong.startsWith('layer') ? good.text.replace('layer: acme', wrong) : wrong;
    const result = compileMappings([message, patient, sex, { ...good, text }], {
      layers: ['acme'],
    });
    const found = result.ok ? [] : result.issues.map(({ message: words }) => words);
    expect(found).toEqual([expect.stringContaining(words)]);
  });

  test('bring maps of their own, which are there with them alone', () => {
    const own = file(
      'layers/acme/race.map.yaml',
      `kind: DatatypeMap
id: acme.race
layer: acme
source: { v2: CWE }
target: { fhir: Coding }
rules:
  - { id: code, from: '1', to: code, table: races }
`,
    );
    const races = file('layers/acme/races.csv', 'code,target\nX,y\n');
    const over = patientLayer(
      'acme',
      "{ id: PID-10.race, override: add, from: PID-10, to: 'extension[+].valueCoding', via: acme.race }",
    );
    const files = [message, patient, sex, own, races, over];
    const text = 'MSH|^~\\&|A|B|C|D|20260102||ORU^R01|1|P|2.5.1\rPID|1||7||||19800102|||X';
    expect(mapWith(files, [], text).resource?.entry?.[0]?.resource).not.toHaveProperty('extension');
    expect(mapWith(files, ['acme'], text).resource?.entry?.[0]?.resource).toMatchObject({
      extension: [{ valueCoding: { code: 'y' } }],
    });
  });

  test('disable a resource of a message map', () => {
    const acme = file(
      'layers/acme/message.map.yaml',
      `kind: MessageMap\nid: ORU_R01@acme\nextends: ORU_R01\nlayer: acme\nresources:\n  - { id: patient, override: disable }`,
    );
    const result = mapWith([message, patient, sex, acme], ['acme'], text);
    expect(result.resource).toBeNull();
    expect(result.issues[0]?.code).toBe('nothing-mapped');
  });
});

describe('map', () => {
  const files = [message, patient, sex];

  test('explains a message type that has no map', () => {
    const result = mapWith(files, [], oru('PID|1', 'ADT^A01'));
    expect(result.resource).toBeNull();
    expect(result.issues).toMatchObject([{ code: 'message-type-unmapped', location: 'MSH-9' }]);
  });

  test.each(['ORU^R01^ORU_R01', 'ORU', 'ORU^^ORU_R01'])('finds the map of %s', (type) => {
    expect(mapWith(files, [], oru('PID|1||7||||1980', type)).resource).not.toBeNull();
  });

  test('says which code and value it could not use, without the value', () => {
    const { issues, unconsumed } = mapWith(files, [], oru('PID|1||7||||yesterday|Q'));
    expect(issues).toMatchObject([
      { code: 'code-unmapped' },
      { code: 'value-not-convertible' },
      { code: 'nothing-mapped' },
    ]);
    expect(JSON.stringify(issues)).not.toMatch(/yesterday|Q/);
    expect(unconsumed).toEqual(expect.arrayContaining(['PID-7', 'PID-8']));
  });

  test('says of times without a zone that some are left out', () => {
    const made = patientSegment('{ id: a, from: PID-33, to: meta.lastUpdated, fn: instant }');
    const text = `MSH|^~\\&|A|B|||20260102||ORU^R01|M1|P|2.5\rPID|1||7${'|'.repeat(30)}202601021200`;
    const { issues, unconsumed } = mapWith([message, made], [], text);
    expect(unconsumed).toContain('PID-33');
    expect(issues.map(({ code, message: words }) => `${code} ${words}`)).toContainEqual(
      expect.stringMatching(/^time-zone-unknown .* or left out where FHIR takes no day: /),
    );
  });

  test('says that there are no maps at all, as in a folder of something else', () => {
    const { issues } = mapWith([], [], oru('PID|1'));
    expect(issues.map(({ message: words }) => words)).toEqual([
      expect.stringContaining('There is no message map in the folder of mappings'),
    ]);
  });

  test('lists segments that no map knows', () => {
    const { unconsumed } = mapWith(files, [], oru('PID|1||7||||1980\rZAL|a|b^c&d~e|""'));
    expect(unconsumed).toEqual(expect.arrayContaining(['ZAL-1', 'ZAL-2']));
    expect(unconsumed).not.toContain('ZAL-3');
  });
});

describe('a code that the table does not hold', () => {
  const unmapped = (rule: string, code: string) =>
    mapWith(
      [
        message,
        file(
          'segment/PID.Patient.map.yaml',
          patient.text.replace('table: sex }', `table: sex${rule} }`),
        ),
        sex,
      ],
      [],
      oru(`PID|||7||||20000101|${code}\rPID|||8||||20000101|${code}`),
    );

  test.each([
    ['omit', 'warning', undefined],
    ['error', 'error', undefined],
    ['keep', undefined, 'X'],
  ])('%s', (policy, severity, gender) => {
    const { resource, issues, held } = unmapped(`, onUnmapped: ${policy}`, 'X');
    expect(issues[0]?.severity).toBe(severity);
    expect(resource?.entry?.[0]?.resource).toMatchObject({ birthDate: '2000-01-01' });
    expect((resource?.entry?.[0]?.resource as { gender?: string }).gender).toBe(gender);
    expect(held).toEqual([]);
  });

  test('holds the message, and names the code, its table and where it stands, once', () => {
    const { issues, held } = unmapped(', onUnmapped: hold', 'X^Unsaid');
    const rule = { table: 'sex', map: 'PID.Patient', rule: 'PID-8.gender' };
    expect(held).toEqual([{ ...rule, code: 'X', display: 'Unsaid', location: 'PID-8[1]' }]);
    expect(issues).toEqual([
      {
        code: 'code-unmapped-held',
        severity: 'error',
        location: 'PID-8[1]',
        message: expect.stringContaining('Table sex has no entry for "X"') as string,
      },
    ]);
  });

  test('is not shown where it is free text, which may be about the patient', () => {
    const { issues } = unmapped(', onUnmapped: hold', 'see Mrs Example');
    expect(issues[0]?.message).toContain('no entry for this code');
  });

  test('is left out, not waited for, where the table says that it has no target', () => {
    const none = file('layers/acme/sex.csv', 'code,target\nX,\nY,other\n');
    const holding = patient.text.replace('table: sex }', 'table: sex, onUnmapped: hold }');
    const { held, issues } = mapWith(
      [message, file('segment/PID.Patient.map.yaml', holding), sex, none],
      ['acme'],
      oru('PID|||7|||||X'),
    );
    expect(held).toEqual([]);
    expect(issues).toContainEqual(
      expect.objectContaining({
        ...{ code: 'code-unmapped', severity: 'warning' },
        message: expect.stringMatching(
          /^Table sex has no target for this code; it was left out/,
        ) as string,
      }),
    );
  });

  test('is held where the table says so', () => {
    const holding = file(
      'tables/sex.conceptmap.json',
      JSON.stringify({
        ...(JSON.parse(sex.text) as object),
        extension: [{ url: 'urn:hilum:unmapped', valueCode: 'hold' }],
      }),
    );
    expect(mapWith([message, patient, holding], [], oru('PID|||7|||||X')).held).toHaveLength(1);
    const wrong = file(holding.path, holding.text.replace('hold', 'wait'));
    expect(findIssues(message, patient, wrong).join()).toContain('valueCode');
  });
});
