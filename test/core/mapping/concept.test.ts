import type { ConceptMapDocument } from '../../../core/mapping/document.ts';
import { toConcept } from '../../../core/mapping/reverse/concept.ts';
import { Table, translateConcept } from '../../../core/mapping/tables.ts';
import type { Draft } from '../../../core/mapping/target.ts';

const toDocument = (unmapped?: object): ConceptMapDocument =>
  ({
    id: 'speech',
    group: [
      {
        source: 'urn:v2',
        target: 'urn:bcp',
        element: [
          { code: 'eng', target: [{ code: 'en', display: 'English' }] },
          { code: 'nld', target: [{ code: 'nl' }] },
          { code: 'x', target: [{ code: 'x' }] },
          { code: 'und', target: [{ equivalence: 'unmatched' }] },
        ],
        ...(unmapped === undefined ? {} : { unmapped }),
      },
    ],
  }) as unknown as ConceptMapDocument;
const document = toDocument();
const table = new Table(document);

const of = (...coding: Draft[]): Draft => ({ coding });
const v2 = (code: string): Draft => ({ system: 'urn:v2', code });
const bcp = (code: string): Draft => ({ system: 'urn:bcp', code });
const local: Draft = { system: 'urn:local', code: 'eng' };

const cases: [string, Draft, Draft][] = [
  [
    'the first coding, its original behind it',
    of(v2('eng')),
    of({ ...bcp('en'), display: 'English' }, v2('eng')),
  ],
  [
    'a second one of the same system',
    of(v2('nld'), v2('eng')),
    of(bcp('nl'), { ...bcp('en'), display: 'English' }, v2('nld'), v2('eng')),
  ],
  ['a second one behind a local code', of(local, v2('nld')), of(local, bcp('nl'), v2('nld'))],
  ['a code that stays the same', of(local, v2('x')), of(local, bcp('x'))],
];

describe('a concept with several codings', () => {
  test.each(cases)('translates %s, and back', (_, before, after) => {
    const concept = structuredClone(before);
    translateConcept(concept, table);
    expect(concept).toEqual(after);
    const back = toConcept({ value: concept, path: '', parent: undefined }, table);
    expect(back).toMatchObject({ value: before });
  });

  test('leaves a second code alone that another has become already', () => {
    const concept = of(v2('nld'), v2('nld'));
    translateConcept(concept, table);
    expect(concept).toEqual(of(bcp('nl'), v2('nld'), v2('nld')));
  });

  test('does not give the code for everything else to a second one', () => {
    const concept = of(v2('nld'), v2('other'));
    translateConcept(concept, new Table(toDocument({ mode: 'fixed', code: 'und' })));
    expect(concept).toEqual(of(bcp('nl'), v2('other'), v2('nld')));
  });

  test('translates a second code that names no system, as the first names none', () => {
    const concept = of({ code: 'nld' }, { code: 'eng', version: '1' }, { code: 'other' });
    translateConcept(concept, table);
    expect(concept).toEqual(of(bcp('nl'), { ...bcp('en'), display: 'English' }, { code: 'other' }));
  });

  test('names the system of a code that has no target, where the message names none', () => {
    const concept = of({ code: 'und' }, { code: 'other' });
    expect(translateConcept(concept, table)).toBe('unmapped');
    expect(concept).toEqual(of(v2('und'), { code: 'other' }));
    const coding: Draft = { code: 'und' };
    translateConcept(coding, table);
    expect(coding).toEqual(v2('und'));
  });

  test('names no system of a code that a layer has without one', () => {
    const layer = { id: 'speech', group: [{ element: [{ code: 'own' }, { code: 'und' }] }] };
    const layered = new Table(document, [layer as unknown as ConceptMapDocument]);
    const concept = of({ code: 'own' });
    translateConcept(concept, layered);
    expect(concept).toEqual(of({ code: 'own' }));
  });

  test('leaves the code without a system of which the table does not speak', () => {
    const concept = of({ code: 'other' });
    expect(translateConcept(concept, table)).toBe('unmapped');
    expect(concept).toEqual(of({ code: 'other' }));
  });

  test('leaves a second code alone whose system is not known', () => {
    const concept = of(local, { code: 'eng' });
    expect(translateConcept(concept, table)).toBe('kept');
    expect(concept).toEqual(of(local, { code: 'eng' }));
  });
});
