import { parse as parseYaml } from 'yaml';
import type { CodeSystemCodes, ValueSetCodes } from '../value-sets.ts';
import { toRecord } from '../record.ts';
import type { ElementProfile, ElementRule, FhirProfile, Invariant, SliceRule } from './profile.ts';

/** A package of profiles: those in its files, and the value sets that they bring. */
export interface ProfilePackage {
  readonly profiles: readonly FhirProfile[];
  readonly valueSets: ReadonlyMap<string, ValueSetCodes>;
}

/** A file by its name in the package's folder. */
export interface PackageFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads a package as we write it (docs/profiles.md): `package.yaml` and lists of profiles. `listSystem` gives the codes of a
 * code system that value sets name. Throws Error with the file and the place of what it cannot read.
 */
export function parseProfilePackage(
  files: readonly PackageFile[],
  listSystem: (url: string) => readonly string[] | undefined,
): ProfilePackage {
  const main = files.find(({ name }) => name === 'package.yaml');
  const head = take(parseYaml(main?.text ?? ''), 'package.yaml', [
    ...['version', 'profiles', 'prefixes', 'valueSets'],
  ]);
  const names = new Names(String(head['profiles']), toRecord(head['prefixes']));
  const profiles = new Map<string, FhirProfile>();
  for (const { name, text } of files) {
    if (name === 'package.yaml') continue;
    for (const one of parseYaml(text, { merge: true }) as readonly unknown[]) {
      const profile = readProfile(one, name, { names, profiles });
      profiles.set(profile.id, profile);
    }
  }
  const valueSets = new Map<string, ValueSetCodes>();
  for (const [name, systems] of Object.entries(toRecord(head['valueSets']))) {
    const codes = Object.entries(toRecord(systems)).map(
      ([system, list]) => [system, readCodes(list, name, listSystem)] as const,
    );
    valueSets.set(names.toUrl(name, 'package.yaml'), Object.fromEntries(codes));
  }
  return { profiles: [...profiles.values()], valueSets };
}

/** The short names that the files of a package use. */
class Names {
  readonly profiles: string;
  readonly #prefixes: Readonly<Record<string, unknown>>;

  constructor(profiles: string, prefixes: Readonly<Record<string, unknown>>) {
    this.profiles = profiles;
    this.#prefixes = prefixes;
  }

  /** `fhir:languages` as a canonical URL. */
  toUrl(name: string, at: string): string {
    const [prefix = '', ...rest] = name.split(':');
    const base = this.#prefixes[prefix];
    if (typeof base !== 'string') throw unreadable(at, `${name} has no prefix of package.yaml`);
    return base + rest.join(':');
  }
}

interface Context {
  readonly names: Names;
  readonly profiles: ReadonlyMap<string, FhirProfile>;
}

function readProfile(content: unknown, file: string, context: Context): FhirProfile {
  const keys = ['profile', 'extends', 'type', 'invariants', 'elements'];
  const found = take(content, file, keys);
  const id = String(found['profile']);
  const at = `${file}: ${id}`;
  const { extends: below } = found;
  const base = typeof below === 'string' ? context.profiles.get(below) : undefined;
  if (below !== undefined && base === undefined) {
    throw unreadable(at, 'extends a profile that is not before it');
  }
  const elements = readElements(found['elements'], at, context.names);
  return {
    url: context.names.profiles + id,
    id,
    type: String(found['type']),
    invariants: [...(base?.invariants ?? []), ...readInvariants(found['invariants'], at)],
    elements: layElements(base?.elements ?? [], elements),
  };
}

/** What a profile says of an element comes to what the one below it says: nothing that held there is lost. */
function layElements(
  below: readonly ElementRule[],
  own: readonly ElementRule[],
): readonly ElementRule[] {
  const rules = new Map(below.map((rule) => [rule.path, rule]));
  for (const rule of own) {
    const base = rules.get(rule.path);
    const invariants = [...(base?.invariants ?? []), ...(rule.invariants ?? [])];
    const named = new Map([...(base?.slices ?? []), ...(rule.slices ?? [])].map(bySliceName));
    rules.set(rule.path, {
      ...{ ...base, ...rule },
      ...(invariants.length === 0 ? {} : { invariants }),
      ...(named.size === 0 ? {} : { slices: [...named.values()] }),
    });
  }
  return [...rules.values()];
}

const bySliceName = (slice: SliceRule): readonly [string, SliceRule] => [slice.name, slice];

const readElements = (content: unknown, at: string, names: Names): readonly ElementRule[] =>
  Object.entries(toRecord(content)).map(([path, rule]) =>
    readElement(path, rule, { at: `${at} ${path}`, names }),
  );

interface Place {
  readonly at: string;
  readonly names: Names;
}

const common = ['is', 'pattern', 'invariants'];

function readElement(path: string, content: unknown, { at, names }: Place): ElementRule {
  if (typeof content === 'string') return { path, ...readIs(content, at) };
  const found = take(content, at, [
    ...[...common, 'types', 'refs', 'required', 'extensible', 'slices'],
  ]);
  const list = (key: string) => {
    const { [key]: value } = found;
    return Array.isArray(value) ? { [key]: value.map(String) } : {};
  };
  const url = (key: string) => {
    const { [key]: value } = found;
    return typeof value === 'string' ? { [key]: names.toUrl(value, at) } : {};
  };
  const slices = Object.entries(toRecord(found['slices'])).map(([name, slice]) =>
    readSlice(name, slice, { at: `${at}:${name}`, names }),
  );
  return {
    ...{ path, ...readCommon(found, at) },
    ...{ ...list('types'), ...list('refs'), ...url('required'), ...url('extensible') },
    ...(slices.length === 0 ? {} : { slices }),
  };
}

function readSlice(name: string, content: unknown, { at, names }: Place): SliceRule {
  const found = take(content, at, [...common, 'codes', 'elements']);
  const { codes } = found;
  if ((found['pattern'] === undefined) === (codes === undefined)) {
    throw unreadable(at, 'a slice has either a pattern or codes');
  }
  return {
    ...{ name, ...readCommon(found, at), elements: readElements(found['elements'], at, names) },
    ...(typeof codes === 'string' ? { codes: names.toUrl(codes, at) } : {}),
  };
}

function readCommon(found: Readonly<Record<string, unknown>>, at: string): ElementProfile {
  const { is, pattern, invariants } = found;
  return {
    ...(typeof is === 'string' ? readIs(is, at) : {}),
    ...(pattern === undefined ? {} : { pattern }),
    ...(invariants === undefined ? {} : { invariants: readInvariants(invariants, at) }),
  };
}

/** `1.. S`: how often, and whether it must be supported. */
function readIs(text: string, at: string): ElementProfile {
  const parts = /^(?:(\d*)\.\.(\d*))?\s*([SU])?$/.exec(text);
  if (parts === null) throw unreadable(at, `expected such as 1.. S, found ${text}`);
  const [, min = '', max = '', support] = parts;
  return {
    ...(min === '' || min === '0' ? {} : { min: Number(min) }),
    ...(max === '' ? {} : { max: Number(max) }),
    ...(support === 'S' || support === 'U' ? { support } : {}),
  };
}

const readInvariants = (content: unknown, at: string): readonly Invariant[] =>
  Object.entries(toRecord(content)).map(([key, one]) => {
    const { holds, says } = take(one, `${at} ${key}`, ['holds', 'says']);
    return { key, holds: String(holds), says: String(says) };
  });

/** A list, a text of codes with blanks between them, `*` for any, or those of a code system (`of`) but some (`without`). */
function readCodes(
  content: unknown,
  at: string,
  listSystem: (url: string) => readonly string[] | undefined,
): CodeSystemCodes {
  if (content === '*') return '*';
  if (typeof content === 'string') return content.trim().split(/\s+/);
  if (Array.isArray(content)) return content.map(String);
  const { of, without = [] } = take(content, at, ['of', 'without']);
  const codes = listSystem(String(of));
  if (codes === undefined) throw unreadable(at, `nobody has the codes of ${String(of)}`);
  return codes.filter((code) => !(without as readonly string[]).includes(code));
}

/** An object with these keys and no others. */
function take(
  content: unknown,
  at: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw unreadable(at, `expected ${keys.join(', ')}`);
  }
  const odd = Object.keys(content).find((key) => !keys.includes(key));
  if (odd !== undefined) throw unreadable(at, `expected ${keys.join(', ')}, found ${odd}`);
  return content as Readonly<Record<string, unknown>>;
}

const unreadable = (at: string, what: string): Error => new Error(`${at}: ${what}`);
