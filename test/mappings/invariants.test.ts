import type { Resource } from '@medplum/fhirtypes';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readConformance } from '../../connectors/file/conformance-files.ts';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import { buildConformanceCheck } from '../../core/fhir/conformance.ts';
import { toLine } from '../../core/errors.ts';
import { mappingsFolder, readMessageCases, toMessage, toParsed } from './support.ts';

/*
 * The JSON schema knows no invariants, no required primitives, no choice of one value[x] and no value sets.
 */

const check = buildConformanceCheck(readConformance(undefined));
const sample = readFileSync(path.join(import.meta.dirname, '../../samples/oru-r01.hl7'), 'utf8');

/** What is wrong with a resource, or a Bundle and all in it. */
const findFaults = (resource: unknown): readonly string[] =>
  check(structuredClone(resource), []).map(toLine);

const messages = [
  ['the sample', toParsed(sample), [] as readonly string[]] as const,
  ...readMessageCases().map(
    (one) => [`${one.file}: ${one.name}`, toMessage(one), one.layers] as const,
  ),
];

test.each(messages)(
  'what is made of %s keeps the invariants of FHIR R4',
  (_name, message, layers) => {
    const { resource } = openMapper(mappingsFolder, layers).map(message);
    expect(resource?.entry?.length).toBeGreaterThan(0);
    expect(findFaults(resource)).toEqual([]);
  },
);

test('a resource that breaks an invariant is found', () => {
  const withoutUrl = { resourceType: 'Patient', extension: [{ valueString: 'x' }] } as Resource;
  expect(findFaults(withoutUrl)).not.toEqual([]);
  const withoutStatus = { resourceType: 'Observation', code: { text: 'x' } } as Resource;
  expect(findFaults(withoutStatus)).not.toEqual([]);
});
