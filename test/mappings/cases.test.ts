import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { isRepeatable } from '../../core/fhir/bundle.ts';
import type { Resource } from '@medplum/fhirtypes';
import { parse as parseYaml } from 'yaml';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { mappingsFolder, openShippedMapper, readCases, readFact, toMessage } from './support.ts';

const mapper = openShippedMapper();
const cases = readCases();
const fired = new Set<string>();

/** `'*'` in an expected value stands for anything that is there, null for what is not. */
function toExpected(value: unknown): unknown {
  if (value === null) return undefined;
  if (value === '*') return expect.anything();
  if (Array.isArray(value)) return value.map(toExpected);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toExpected(inner)]));
}

describe.each(cases)('$file: $name', (one) => {
  const message = toMessage(one);
  const result = mapper.map(message, { provenance: true, onRule: (rule) => fired.add(rule) });

  test.each(Object.entries(one.facts))('%s', (fact, value) => {
    expect(readFact(result.resource, fact)).toEqual(toExpected(value));
  });

  test('names what no rule took', () => {
    if (one.unconsumed !== undefined) expect(result.unconsumed).toEqual(one.unconsumed);
    for (const unconsumed of result.unconsumed) expect(message.get(unconsumed)).toBeTruthy();
  });

  test('makes a Bundle of valid FHIR', () => {
    expect(openFhirValidator()(result.resource)).toEqual([]);
  });

  test('maps a redelivery to the same, and every entry may be sent twice', () => {
    const again = mapper.map(toMessage(one), { provenance: true });
    expect(JSON.stringify(again)).toBe(JSON.stringify(result));
    const entries = result.resource?.entry ?? [];
    expect(entries.filter((entry) => !isRepeatable(entry))).toEqual([]);
    const requests = entries.map(({ request }) => JSON.stringify(request));
    expect(new Set(requests).size).toBe(requests.length);
  });

  test('says where every element came from, and resolves every reference', () => {
    for (const { target, source } of result.provenance) {
      expect(readPath({ Bundle: result.resource }, target)).toBeDefined();
      if (source.includes('-')) expect(message.get(source)).toBeTruthy();
    }
    const traced = new Set(result.provenance.map(({ target }) => target));
    expect(findUntraced(result.resource?.entry ?? [], 'Bundle.entry', traced)).toEqual([]);
    const entries = result.resource?.entry ?? [];
    const urls = entries.map(({ fullUrl }) => fullUrl);
    for (const { resource } of entries) {
      const contained = (resource as { contained?: Resource[] }).contained ?? [];
      const known = new Set([...urls, ...contained.map(({ id }) => `#${id}`)]);
      const text = JSON.stringify(resource);
      for (const [, url] of text.matchAll(/"reference":"([^"]+)"/g)) expect(known).toContain(url);
    }
  });
});

test('every rule is exercised by a case', () => {
  const names = readdirSync(mappingsFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.map.yaml') && !name.startsWith('layers'))
    .flatMap((name) => {
      const text = readFileSync(path.join(mappingsFolder, name), 'utf8');
      const map = parseYaml(text) as { id: string; rules?: { id: string }[] };
      return (map.rules ?? []).map((rule) => `${map.id}#${rule.id}`);
    });
  expect(names.filter((name) => !fired.has(name))).toEqual([]);
});

function readPath(from: unknown, target: string): unknown {
  let at = from;
  for (const key of target.split(/[.[\]]+/).filter(Boolean)) {
    at = (at as Record<string, unknown> | undefined)?.[key];
  }
  return at;
}

/** Elements that the engine makes by itself, beside the identifiers `urn:hilum:…`. */
const made = /\.(resourceType|fullUrl|id|request\..*)$/;

/** The paths of all leaves for which neither they nor anything around them has an entry. */
function findUntraced(value: unknown, at: string, known: ReadonlySet<string>): string[] {
  if (known.has(at)) return [];
  if (typeof value !== 'object' || value === null) return made.test(at) ? [] : [at];
  if ('system' in value && String(value.system).startsWith('urn:hilum:')) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    findUntraced(inner, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`, known),
  );
}
