import fc from 'fast-check';
import { readMappingFilesSync } from '../../../connectors/file/mapping-files.ts';
import { type V2MapResult, type V2Mapper, compileV2Maps } from '../../../core/mapping/v2-map.ts';
import { mappingsFolder, toParsed } from '../../mappings/support.ts';
import { measureProcessorMs } from '../../support/processor.ts';

function compile(rules: readonly object[], more: object = { target: { v2: '2.5.1' } }): V2Mapper {
  const content = { kind: 'V2Map', id: 'm', ...more, rules };
  const table = 'code,target\n1,one\n007,seven\n';
  const compiled = compileV2Maps([
    { path: 'v2/m.map.json', text: JSON.stringify(content) },
    { path: 'tables/t.csv', text: table },
  ]);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const map = compiled.maps.get('m');
  if (map === undefined) throw new Error('no map');
  return map;
}

const header = 'MSH|^~\\&|A|B|||20260102||ADT^A01|1|P|2.3';

function apply(
  rules: readonly object[],
  ...segments: readonly string[]
): V2MapResult & { body: string } {
  const result = compile(rules).map(toParsed([header, ...segments].join('\r')));
  return { ...result, body: (result.message ?? '').split('\r').slice(1).join('\r') };
}

test.each<[string, object, string, string]>([
  [
    'copies what stands there, escapes and all',
    { from: 'PID-3', to: 'PID-4' },
    'PID|||a\\F\\b^c',
    'PID|||a\\F\\b^c|a\\F\\b^c',
  ],
  ['moves', { from: 'PID-3', to: 'PID-4', move: true }, 'PID|||a', 'PID||||a'],
  [
    'adds each repetition',
    { from: 'PID-4[*]', to: 'PID-3[+]', move: true },
    'PID|||a|b~c',
    'PID|||a~b~c|',
  ],
  ['translates', { from: 'PID-8', to: 'PID-8', table: 't' }, 'PID||||||||007', 'PID||||||||seven'],
  ['writes a constant, escaped', { to: 'PID-9', const: 'a&b' }, 'PID|1', 'PID|1||||||||a\\T\\b'],
  ['drops a field', { from: 'PID-3', drop: 'Not theirs.' }, 'PID|||a|b', 'PID||||b'],
  ['drops a segment', { from: 'ZPI', drop: 'Ours alone.' }, 'ZPI|1\rPID|1\rZPI|2', 'PID|1'],
  [
    'asks its condition of each segment',
    { from: 'OBX-3', to: 'OBX-4', when: "OBX-1 = '2'" },
    'OBX|1||a\rOBX|2||b',
    'OBX|1||a\rOBX|2||b|b',
  ],
  ['makes a segment that is not there', { to: 'ZNW-1', const: 'x' }, 'PID|1', 'PID|1\rZNW|x'],
  ['has nothing to do', { from: 'PV1-2', to: 'PV1-3' }, 'PID|1', 'PID|1'],
])('a rule %s', (_, rule, before, after) => {
  expect(apply([{ id: 'r', ...rule }], before).body.replace(/\r$/, '')).toBe(after);
});

test('the version is that of the target, and what was left out is named', () => {
  const { message, dropped } = apply([{ id: 'r', from: 'ZPI', drop: 'Ours.' }], 'ZPI|1', 'ZPI|2');
  expect(message).toContain('|P|2.5.1');
  expect(dropped).toEqual(['ZPI', 'ZPI[2]']);
});

test('a code that the table does not hold stays, with a warning', () => {
  const { body, issues } = apply(
    [{ id: 'r', from: 'PID-8', to: 'PID-8', table: 't' }],
    'PID||||||||9',
  );
  expect(body).toBe('PID||||||||9');
  expect(issues.map(({ code, location }) => [code, location])).toEqual([
    ['code-unmapped', 'PID-8[1]'],
  ]);
});

test.each([
  [{ source: { v2: '2.4' } }, 'MSH-12'],
  [{ source: { messages: ['ORU^R01'] } }, 'MSH-9'],
])('a message that it is not for is refused: %j', (more, location) => {
  const result = compile([], more).map(toParsed(header));
  expect(result.message).toBeNull();
  expect(result.issues.map((issue) => [issue.code, issue.location])).toEqual([
    ['message-not-for-map', location],
  ]);
});

test('no rule, no change: every byte but that of the version stays', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9^~&\\ .]{0,12}$/);
  fc.assert(
    fc.property(fc.array(fc.array(value, { maxLength: 6 }), { maxLength: 5 }), (segments) => {
      const text = [header, ...segments.map((fields) => ['ZAA', ...fields].join('|'))].join('\r');
      const result = compile([]).map(toParsed(text));
      expect(result.message).toBe(text.replace('|P|2.3', '|P|2.5.1'));
    }),
    { numRuns: 50 },
  );
});

test('the shipped map makes 2.5.1 of earlier messages', () => {
  const compiled = compileV2Maps(readMappingFilesSync(mappingsFolder));
  const map = compiled.ok ? compiled.maps.get('any-to-2.5.1') : undefined;
  const text = `${header}\rPID|1|E1|7^^^X^MR|O1|Low^Al||||Alias^Al`;
  expect(map?.map(toParsed(text)).message?.split('\r')).toEqual([
    'MSH|^~\\&|A|B|||20260102||ADT^A01^ADT_A01|1|P|2.5.1',
    'PID|1||7^^^X^MR~E1~O1||Low^Al~Alias^Al||||',
  ]);
});

test('faults are named by file, line and rule', () => {
  const rules = [
    { id: 'a', from: 'name', to: 'PID-3' },
    { id: 'b', from: 'PID-3', to: 'name[+]' },
    { id: 'c', from: 'PID-3', to: 'PID-4', table: 'none' },
  ];
  const text = JSON.stringify({ kind: 'V2Map', id: 'm', target: { v2: '2.5' }, rules });
  const compiled = compileV2Maps([{ path: 'v2/m.map.json', text }]);
  expect(compiled.ok ? [] : compiled.issues.map(({ location }) => location)).toEqual([
    'v2/m.map.json:1:a',
    'v2/m.map.json:1:b',
    'v2/m.map.json:1:c',
  ]);
});

test.each([
  ['are copied and emptied', { from: 'OBX-3', to: 'OBX-4', move: true }],
  ['are written under a condition', { to: 'OBX-9', const: 'x', when: "OBX-2 = 'ST'" }],
  ['are dropped', { from: 'OBX', drop: 'Nobody reads it.', when: "OBX-2 = 'ST'" }],
])('four times the segments that %s take about four times as long', (_, rule) => {
  const mapper = compile([{ id: 'r', ...rule }]);
  const measure = (count: number): number => {
    const segments = Array.from({ length: count }, (__, at) => `OBX|${at + 1}|ST|A^B||x`);
    const text = [header, ...segments].join('\r');
    // The best of three.
    const times = [1, 2, 3].map(() => {
      const message = toParsed(text);
      return measureProcessorMs(() => mapper.map(message));
    });
    return Math.min(...times);
  };
  const [small, middle, large] = [500, 1_000, 2_000].map(measure);
  // Quadratic would be sixteen times; what takes a few milliseconds says nothing.
  expect(large).toBeLessThan(Math.max(8 * (small ?? 0), 4 * (middle ?? 0), 60));
});
