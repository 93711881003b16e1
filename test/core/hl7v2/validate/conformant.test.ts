import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import { versions, type Version } from '../../../../core/hl7v2/definitions/versions.ts';
import { matchStructure } from '../../../../core/hl7v2/match-structure.ts';
import { parsePath } from '../../../../core/hl7v2/path.ts';
import { validate } from '../../../../core/hl7v2/validate.ts';
import { generate, seedRandom, toBareMessage, walk } from '../../../support/conformant.ts';
import { parse } from '../support.ts';

const all = openDefinitions();

interface Names {
  readonly structures: Readonly<Record<string, string>>;
  readonly events: Readonly<Record<string, string>>;
}

/** What a version has, which its definitions do not list. */
function readNames(version: Version): Names {
  const file = join(import.meta.dirname, `../../../../dist/definitions/${version}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Names;
}

function toFinding({ code, location = '' }: { code: string; location?: string }): string {
  return `${code} ${location}`;
}

describe.each(versions)('structures of %s', (version) => {
  const definitions = all.of(version);
  const structures = Object.keys(readNames(version).structures)
    .map((name) => definitions.findStructure(name)!)
    .filter((structure) => structure.items[0]?.name === 'MSH');

  it('accept every order of segments that they allow', () => {
    const random = seedRandom(2_026);
    const refused: string[] = [];
    for (const structure of structures) {
      for (const fullness of [0, 0.2, 0.5, 0.8, 1]) {
        const names = walk(structure, { random, fullness });
        const issues = matchStructure(parse(toBareMessage(names)), structure);
        if (issues.length > 0) refused.push(`${structure.name}: ${names.join(' ')}`);
      }
    }
    expect(structures.length).toBeGreaterThan(25);
    expect(refused).toEqual([]);
  });

  it('say what is missing when one segment is taken out, and nothing else', () => {
    const random = seedRandom(7);
    const wrong: string[] = [];
    let found = 0;
    for (const structure of structures) {
      for (const fullness of [0.2, 0.5, 0.8]) {
        const names = walk(structure, { random, fullness });
        const at = 1 + Math.floor(random() * (names.length - 1));
        const left = names.filter((_, index) => index !== at);
        const issues = matchStructure(parse(toBareMessage(left)), structure);
        found += issues.length;
        // Missing itself, or by its absence leaving behind what cannot be without it.
        if (issues.length > 1) {
          wrong.push(
            `${structure.name}: ${names.join(' ')} without ${at}: ${issues.map(toFinding).join()}`,
          );
        }
      }
    }
    expect(found).toBeGreaterThan(structures.length / 4);
    expect(wrong).toEqual([]);
  });

  it('report only places that can be written down, whatever the order', () => {
    const random = seedRandom(11);
    for (const structure of structures) {
      const names = walk(structure, { random, fullness: 0.6 });
      const [first = '', ...rest] = names;
      const mixed = rest.toSorted(() => random() - 0.5);
      const message = parse(toBareMessage([first, ...mixed]));
      for (const { location } of matchStructure(message, structure)) {
        expect(parsePath(location ?? '').ok).toBe(true);
      }
    }
  });
});

describe.each(versions)('generated messages of %s', (version) => {
  const definitions = all.of(version);

  it('have no findings', () => {
    const random = seedRandom(99);
    const findings: string[] = [];
    for (const [type, text] of Object.entries(readNames(version).events)) {
      for (const word of text.split(' ')) {
        const [event = ''] = word.split('=');
        const name = definitions.findStructureName(type, event) ?? '';
        if (definitions.findStructure(name)?.items[0]?.name !== 'MSH') continue;
        for (const fullness of [0, 0.4]) {
          const message = parse(generate(definitions, { type, event }, { random, fullness }));
          for (const issue of validate(message, all)) {
            findings.push(
              `${type}^${event}: ${issue.severity} ${toFinding(issue)}: ${issue.message}`,
            );
          }
        }
      }
    }
    expect([...new Set(findings)]).toEqual([]);
  });
});

describe('mutated messages', () => {
  const scraps = [
    '|',
    '^',
    '~',
    '&',
    '\\',
    '\r',
    '""',
    '\rOBX|',
    '\rZZ1|',
    '\u0001',
    '9',
    'x',
    '\\X0D\\',
  ];

  it('are judged without an exception, every finding at a place that can be written down', () => {
    const random = seedRandom(5);
    const pick = (count: number): number => Math.floor(random() * count);
    for (let run = 0; run < 1_500; run++) {
      const definitions = all.of(versions[pick(versions.length)] ?? '2.5.1');
      let text = generate(definitions, { type: 'ORU', event: 'R01' }, { random, fullness: 0.2 });
      for (let left = 1 + pick(8); left > 0; left--) {
        // The delimiters stay as they are, so that it stays a message.
        const at = 9 + pick(text.length - 9);
        text = text.slice(0, at) + (scraps[pick(scraps.length)] ?? '') + text.slice(at + pick(4));
      }
      for (const { code, location = '' } of validate(parse(text), all)) {
        expect([code, location, parsePath(location).ok]).toEqual([code, location, true]);
      }
    }
  });
});
