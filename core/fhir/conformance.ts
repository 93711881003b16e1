import { indexStructureDefinitionBundle, isResourceType } from '@medplum/core';
import type { StructureDefinition } from '@medplum/fhirtypes';
import { toLine } from '../errors.ts';
import type { Issue } from '../issue.ts';
import { checkByDefinition, type Checked } from './check-by-definition.ts';
import { checkMoreInvariants } from './more-invariants.ts';
import { findNested } from './nested.ts';
import { checkByProfile } from './profile/check-by-profile.ts';
import type { FhirProfile } from './profile/profile.ts';
import { toRecord } from './record.ts';
import { resolveReferences } from './references.ts';
import type { ValueSetCodes } from './value-sets.ts';

/** What resources are checked by. */
export interface Conformance {
  /** Types, resources and profiles, each with a snapshot. */
  readonly definitions: readonly StructureDefinition[];
  /** Further profiles; one of the definitions with the same URL is taken instead. */
  readonly profiles: readonly FhirProfile[];
  /** By canonical URL without a version. */
  readonly valueSets: ReadonlyMap<string, ValueSetCodes>;
}

/**
 * Checks a resource with all those in it by the definitions of FHIR: cardinalities, types, invariants (FHIRPath) and required
 * bindings; then by the profiles in `meta.profile` and those that are asked for, by canonical URL or id. The resource is
 * changed: its references are resolved.
 */
export type ConformanceCheck = (resource: unknown, profiles: readonly string[]) => readonly Issue[];

/** The definitions are kept for the whole process or thread, as @medplum/core has it. */
export function buildConformanceCheck(conformance: Conformance): ConformanceCheck {
  indexStructureDefinitionBundle([...conformance.definitions]);
  const profiles = new Profiles(conformance);
  return (resource, asked) => {
    resolveReferences(resource);
    const check = new Check(conformance.valueSets, profiles, asked);
    check.resource(resource, '');
    return [...profiles.findUnknown(asked), ...check.issues];
  };
}

type Profile = StructureDefinition | FhirProfile;

/** The profiles by canonical URL and by id. */
class Profiles {
  readonly #known = new Map<string, Profile>();

  constructor({ definitions, profiles }: Conformance) {
    const constraints = definitions.filter(({ derivation }) => derivation === 'constraint');
    for (const profile of [...profiles, ...constraints]) {
      this.#known.set(profile.url, profile);
      if (profile.id !== undefined) this.#known.set(profile.id, profile);
    }
  }

  find(name: string): Profile | undefined {
    return this.#known.get(name.replace(/\|.*$/, ''));
  }

  findUnknown(names: readonly string[]): readonly Issue[] {
    return names
      .filter((name) => this.find(name) === undefined)
      .map((name) => ({
        code: 'fhir-profile-unknown',
        severity: 'error',
        message: `Expected the URL or id of a profile, found ${name}; HILUM_FHIR_PROFILES names the folder of a site's own.`,
      }));
  }
}

class Check {
  readonly issues: Issue[] = [];
  readonly #valueSets: Conformance['valueSets'];
  readonly #profiles: Profiles;
  readonly #asked: readonly string[];
  readonly #said = new Set<string>();

  constructor(valueSets: Conformance['valueSets'], profiles: Profiles, asked: readonly string[]) {
    this.#valueSets = valueSets;
    this.#profiles = profiles;
    this.#asked = asked;
  }

  resource(value: unknown, path: string): void {
    const { resourceType: type, meta } = toRecord(value);
    // The schema says so.
    if (typeof type !== 'string' || !isResourceType(type)) return;
    const location = path || type;
    const content = type === 'Bundle' ? withoutResources(toRecord(value)) : value;
    this.#byDefinition({ type, value: content, location });
    for (const issue of checkMoreInvariants(content, location)) this.#add(issue);
    this.#extensions(content, location);
    for (const profile of this.#profilesOf(type, meta, location)) {
      this.#byProfile({ type, value: content, location }, profile);
    }
    for (const nested of findNested(value as object)) {
      this.resource(nested.resource, location + nested.path);
    }
  }

  #byDefinition(checked: Checked): void {
    const { type, location, profile } = checked;
    for (const issue of checkByDefinition(checked, this.#valueSets)) {
      const path = issue.location?.slice(location.length) ?? '';
      // Of a resource that is only named here, and checked by itself.
      if (type === 'Bundle' && /^\.entry\[\d+\]\.resource\b/.test(path)) continue;
      this.#add(issue, profile);
    }
  }

  #byProfile(checked: Checked, profile: Profile): void {
    if ('resourceType' in profile) {
      this.#byDefinition({ ...checked, profile });
      return;
    }
    for (const issue of checkByProfile(checked, profile, this.#valueSets))
      this.#add(issue, profile);
  }

  #profilesOf(type: string, meta: unknown, location: string): readonly Profile[] {
    const { profile: claimed } = toRecord(meta);
    const claims = Array.isArray(claimed) ? claimed.map(String) : [];
    for (const [index, claim] of claims.entries()) {
      if (this.#profiles.find(claim) !== undefined) continue;
      this.#add({
        code: 'fhir-profile-unknown',
        severity: 'warning',
        location: `${location}.meta.profile[${index}]`,
        message: 'The profile is not known here, so the resource was not checked by it',
      });
    }
    const found = [...claims, ...this.#asked].flatMap((name) => this.#profiles.find(name) ?? []);
    return [...new Set(found)].filter((profile) => profile.type === type);
  }

  /** Extensions whose definition is known, wherever they stand. */
  #extensions(value: unknown, path: string): void {
    if (Array.isArray(value)) {
      value.forEach((each, index) => this.#extensions(each, `${path}[${index}]`));
      return;
    }
    for (const [key, inner] of Object.entries(toRecord(value))) {
      // What is contained is checked by itself.
      if (key === 'contained' || typeof inner !== 'object') continue;
      if (key === 'extension' && Array.isArray(inner)) {
        inner.forEach((extension, index) => this.#extension(extension, `${path}.${key}[${index}]`));
      }
      this.#extensions(inner, `${path}.${key}`);
    }
  }

  #extension(value: unknown, location: string): void {
    const { url } = toRecord(value);
    const profile = typeof url === 'string' ? this.#profiles.find(url) : undefined;
    if (profile?.type !== 'Extension' || profile.url !== url) return;
    this.#byProfile({ type: 'Extension', value, location }, profile);
  }

  /** What several definitions say is said once. */
  #add(issue: Issue, profile?: Profile): void {
    const key = toLine(issue);
    if (this.#said.has(key)) return;
    this.#said.add(key);
    const by = profile === undefined ? '' : ` (profile ${profile.url})`;
    this.issues.push({ ...issue, message: `${issue.message}${by}` });
  }
}

/** A Bundle whose resources are only named. */
function withoutResources(bundle: Readonly<Record<string, unknown>>): object {
  const { entry } = bundle;
  if (!Array.isArray(entry)) return bundle;
  return {
    ...bundle,
    entry: entry.map((each: unknown) => {
      const { resource, ...rest } = toRecord(each);
      if (resource === undefined) return each;
      const { resourceType, id, meta } = toRecord(resource);
      return { ...rest, resource: { resourceType, id, meta } };
    }),
  };
}
