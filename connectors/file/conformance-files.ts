import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Conformance } from '../../core/fhir/conformance.ts';
import { trimDefinition } from '../../core/fhir/definitions.ts';
import type { FhirProfile } from '../../core/fhir/profile/profile.ts';
import { expandValueSets, type ValueSetCodes } from '../../core/fhir/value-sets.ts';
import { buildError } from '../../core/errors.ts';

interface BuiltDefinitions {
  readonly definitions: readonly StructureDefinition[];
  readonly profiles: readonly FhirProfile[];
  readonly valueSets: Readonly<Record<string, ValueSetCodes>>;
}

/**
 * What FHIR resources are checked by: `dist/fhir/definitions.json` (FHIR R4 and US Core, made by `npm run build`), and what a
 * site has in its folder: StructureDefinitions with snapshot, ValueSets and CodeSystems, each a JSON file, or Bundles of
 * them. The site's come first. Throws HilumError (permanent) `definitions-unreadable` or `fhir-profiles-unreadable`.
 */
export function readConformance(siteFolder: string | undefined): Conformance {
  const { definitions, profiles, valueSets } = readBuilt();
  const own = siteFolder === undefined ? [] : readSite(siteFolder);
  const ownDefinitions = own.filter((resource) => resource.resourceType === 'StructureDefinition');
  return {
    definitions: [...definitions, ...ownDefinitions.map(trimDefinition)],
    profiles,
    valueSets: new Map([...Object.entries(valueSets), ...expandValueSets(own)]),
  };
}

function readBuilt(): BuiltDefinitions {
  const file = findBuilt(import.meta.dirname);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BuiltDefinitions;
  } catch (error) {
    const text = `The definitions of FHIR cannot be read from ${file}; run npm run build.`;
    throw buildError('permanent', 'definitions-unreadable', text, error);
  }
}

function readSite(folder: string): readonly Resource[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .sort()
      .flatMap((name) => {
        const resource = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Resource;
        if (resource.resourceType !== 'Bundle') return [resource];
        return (resource.entry ?? []).flatMap((entry) => entry.resource ?? []);
      })
      .filter(hasSnapshot);
  } catch (error) {
    const text = `The FHIR profiles in ${folder} cannot be read: each file *.json must be a resource.`;
    throw buildError('permanent', 'fhir-profiles-unreadable', text, error);
  }
}

/** A package of profiles also holds examples and manifests. */
const hasSnapshot = (resource: Resource): boolean =>
  resource.resourceType === 'StructureDefinition'
    ? resource.snapshot !== undefined
    : ['ValueSet', 'CodeSystem'].includes(resource.resourceType);

/** In the package's folder, from wherever below it this file was built to. */
function findBuilt(from: string): string {
  const candidate = join(from, 'dist', 'fhir', 'definitions.json');
  const parent = dirname(from);
  return existsSync(candidate) || parent === from ? candidate : findBuilt(parent);
}
