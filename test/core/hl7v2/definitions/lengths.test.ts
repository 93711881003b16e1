import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import type { CompactVersion } from '../../../../core/hl7v2/definitions/compact.ts';
import type { ElementDefinition } from '../../../../core/hl7v2/definitions/definitions.ts';
import { isWithin, versions, type Version } from '../../../../core/hl7v2/definitions/versions.ts';

const of = (version: Version) => openDefinitions().of(version);

const withConformance = versions.filter((version) => isWithin(version, { from: '2.7' }));
const withoutConformance = versions.filter((version) => !isWithin(version, { from: '2.7' }));

/** `PID-1` or `CX.1`. */
function find(version: Version, place: string): ElementDefinition | undefined {
  const [owner = '', position] = place.split(/[-.]/);
  const elements = place.includes('-')
    ? of(version).findSegment(owner)?.fields
    : of(version).findDatatype(owner)?.components;
  return elements?.[Number(position) - 1];
}

/** In the notation of the standard; empty where nothing is known. */
function toText(element: ElementDefinition | undefined): string {
  const { minLength, maxLength, conformanceLength, isTruncatable } = element ?? {};
  const normative =
    minLength === undefined && maxLength === undefined
      ? ''
      : `${minLength ?? ''}..${maxLength ?? ''}`;
  const conformance =
    conformanceLength === undefined
      ? ''
      : `${conformanceLength}${isTruncatable === true ? '#' : '='}`;
  return normative + conformance;
}

describe.each(withConformance)('in %s', (version) => {
  it.each([
    ['CX.1', '15='],
    ['CX.3', '3..3'],
    ['CX.5', '1..5'],
    ['CWE.1', '20='],
    ['CWE.2', '199#'],
    ['CWE.3', '1..12'],
    ['CNE.2', '199#'],
    ['FN.1', '50#'],
    ['HD.1', '20='],
    ['HD.2', '199='],
    ['HD.3', '1..6'],
    ['EI.1', '199='],
    ['MSG.3', '3..7'],
    ['XPN.2', '30#'],
    ['XAD.3', '50#'],
    ['XAD.5', '12='],
    ['XCN.1', '15='],
    ['XON.1', '50#'],
    ['XTN.4', '199='],
    ['XTN.12', '199#'],
    ['PL.9', '199#'],
    ['RP.1', '999#'],
  ])('the component %s is %s', (place, expected) => {
    expect(toText(find(version, place))).toBe(expected);
  });

  it.each([
    ['MSH-2', '4..5'],
    ['MSH-8', '40='],
    ['MSH-10', '1..199'],
    ['MSH-18', '5..15'],
    ['MSA-1', '2..2'],
    ['MSA-2', '1..199'],
    ['ERR-7', '2048#'],
    ['PID-1', '1..4'],
    ['PID-23', '250#'],
    ['PID-25', '2='],
    ['PV1-47', '12='],
    ['OBR-18', '199='],
    ['OBX-2', '2..3'],
    ['OBX-7', '60='],
    ['IN1-36', '15='],
  ])('the field %s is %s', (place, expected) => {
    expect(toText(find(version, place))).toBe(expected);
  });

  it('a value without bounds has none: an observation, a comment, encapsulated data', () => {
    expect(['OBX-5', 'NTE-3', 'ED.5'].map((place) => toText(find(version, place)))).toEqual([
      '',
      '',
      '',
    ]);
  });

  it('the sub-identifier of an observation has its length where it is text', () => {
    const isText = find(version, 'OBX-4')?.datatype === 'ST';
    expect(toText(find(version, 'OBX-4'))).toBe(isText ? '20=' : '');
    expect(toText(find(version, 'OG.1'))).toBe(isText ? '' : '20=');
  });

  it('lengths are positive, and the least is not above the most', () => {
    const wrong = listElements(version).filter(
      ([, { minLength = 1, maxLength = Infinity, conformanceLength = 1 }]) =>
        minLength < 1 || maxLength < minLength || conformanceLength < 1,
    );
    expect(wrong.map(([place]) => place)).toEqual([]);
  });

  it('every code of a binding table is as long as its element may be', () => {
    const wrong = listElements(version).flatMap(
      ([place, { table = '', minLength, maxLength = Infinity }]) => {
        const { kind, codes = [] } = of(version).findTable(table) ?? {};
        if (minLength === undefined || kind !== 'hl7') return [];
        return [...codes]
          .filter((code) => !isProse.test(code))
          .filter(({ length }) => length < minLength || length > maxLength)
          .map((code) => `${place} ${code}`);
      },
    );
    expect(wrong).toEqual([]);
  });

  it('only what has a conformance length may be cut off', () => {
    const wrong = listElements(version).filter(
      ([, { conformanceLength, isTruncatable }]) =>
        isTruncatable === true && conformanceLength === undefined,
    );
    expect(wrong.map(([place]) => place)).toEqual([]);
  });

  it('only text and numbers have a conformance length', () => {
    const composite = listElements(version).filter(
      ([, { datatype, conformanceLength }]) =>
        conformanceLength !== undefined &&
        (of(version).findDatatype(datatype)?.components.length ?? 0) > 0,
    );
    expect(composite.map(([place]) => place)).toEqual([]);
  });
});

describe('before 2.7', () => {
  it.each(withoutConformance)('%s has a longest value and nothing else', (version) => {
    const newer = listElements(version).filter(
      ([, { minLength, conformanceLength, isTruncatable }]) =>
        minLength !== undefined || conformanceLength !== undefined || isTruncatable === true,
    );
    expect(newer.map(([place]) => place)).toEqual([]);
  });
});

/** What stands among the codes of a table and is none. */
const isProse = / |^Varies$/;

/** Every field and component, with its place. */
function listElements(version: Version): readonly (readonly [string, ElementDefinition])[] {
  const file = path.join(import.meta.dirname, '../../../../dist/definitions', `${version}.json`);
  const { segments, datatypes } = JSON.parse(readFileSync(file, 'utf8')) as CompactVersion;
  const fields = Object.keys(segments).flatMap((name) =>
    toPlaces(`${name}-`, of(version).findSegment(name)?.fields),
  );
  const components = Object.keys(datatypes).flatMap((name) =>
    toPlaces(`${name}.`, of(version).findDatatype(name)?.components),
  );
  expect(fields.length).toBeGreaterThan(300);
  return [...fields, ...components];
}

const toPlaces = (owner: string, elements: readonly ElementDefinition[] = []) =>
  elements.map((element, index) => [`${owner}${index + 1}`, element] as const);
