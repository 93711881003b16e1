import { resourceTypes } from './resource-types.ts';
import { searchParameters } from './search-parameters.ts';
import type { Resource } from './store.ts';

const interactions = ['read', 'create', 'update', 'delete', 'search-type'];

/** What the demo EHR can do. FHIR R4 CapabilityStatement. */
export function buildCapabilityStatement(baseUrl: string): Resource {
  const searchParam = Object.entries(searchParameters).map(([name, { kind }]) => ({
    name,
    type: kind,
  }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-01-01',
    kind: 'instance',
    software: { name: 'Hilum demo EHR' },
    implementation: { description: 'Demo EHR, in memory, not for patient data', url: baseUrl },
    fhirVersion: '4.0.1',
    format: ['json', 'application/fhir+json'],
    rest: [
      {
        mode: 'server',
        resource: [...resourceTypes].map((type) => ({
          type,
          interaction: interactions.map((code) => ({ code })),
          versioning: 'versioned-update',
          readHistory: false,
          updateCreate: true,
          conditionalCreate: true,
          conditionalUpdate: true,
          conditionalDelete: 'single',
          searchParam,
        })),
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
      },
    ],
  };
}
