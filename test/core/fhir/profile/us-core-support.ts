import { readConformance } from '../../../../connectors/file/conformance-files.ts';
import { buildConformanceCheck } from '../../../../core/fhir/conformance.ts';

/* Resources that conform to profiles of US Core, and what a check finds in those of a test. */

export const check = buildConformanceCheck(readConformance(undefined));
export const urlOf = (id: string): string =>
  `http://hl7.org/fhir/us/core/StructureDefinition/${id}`;

/** What is found in a resource that claims a profile, each as `severity code location`. */
export const find = (profile: string, resource: object): readonly string[] =>
  check({ ...resource, meta: { profile: [urlOf(profile)] } }, []).map(
    ({ severity, code, location }) => `${severity} ${code} ${location}`,
  );

const us = 'http://hl7.org/fhir/us/core';
export const tho = 'http://terminology.hl7.org/CodeSystem';
export const subject = { reference: 'Patient/1' };
export const reason = (valueCode: string) => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode }],
});
export const coded = (system: string, code: string) => ({ coding: [{ system, code }] });
export const loinc = (code: string) => coded('http://loinc.org', code);

export const patient = {
  ...{ resourceType: 'Patient', name: [{ family: 'Low' }], gender: 'female' },
  identifier: [{ system: 'urn:oid:2.16.840.1.999.9', value: 'C3' }],
};
export const timeless = { resourceType: 'Observation', status: 'final', subject };
export const observation = { ...timeless, effectiveDateTime: '2026-01-02', code: loinc('2093-3') };
export const lab = {
  ...observation,
  category: [coded(`${tho}/observation-category`, 'laboratory')],
};
export const vital = {
  ...observation,
  category: [coded(`${tho}/observation-category`, 'vital-signs')],
};
export const social = coded(`${tho}/observation-category`, 'social-history');
export const transmitter = {
  type: coded(`${us}/CodeSystem/us-core-provenance-participant-type`, 'transmitter'),
  who: { reference: 'Organization/1' },
};
export const amount = (value: number, code: string) => ({
  ...{ value, unit: code, system: 'http://unitsofmeasure.org', code },
});
export const condition = { resourceType: 'Condition', subject, code: { text: 'x' } };
export const organization = { resourceType: 'Organization', active: true, name: 'Hospital' };
export const npi = (value: string) => ({
  ...organization,
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value }],
});
export const report = {
  ...{ resourceType: 'DiagnosticReport', status: 'final', subject, code: loinc('24331-1') },
  ...{ category: [coded(`${tho}/v2-0074`, 'LAB')], effectiveDateTime: '2026-01-02' },
  issued: '2026-01-02T10:00:00Z',
};
export const coverage = {
  ...{ resourceType: 'Coverage', status: 'active', beneficiary: subject, subscriberId: 'S1' },
  ...{ relationship: coded(`${tho}/subscriber-relationship`, 'self') },
  payor: [{ reference: 'Organization/1' }],
};
export const document = {
  ...{ resourceType: 'DocumentReference', status: 'current', subject, type: loinc('34133-9') },
  category: [coded(`${us}/CodeSystem/us-core-documentreference-category`, 'clinical-note')],
  content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }],
};
export const race = (...extension: readonly object[]) => ({
  ...patient,
  extension: [{ url: urlOf('us-core-race'), extension }],
});
export const text = { url: 'text', valueString: 'White' };
export const omb = (system: string, code: string) => ({
  url: 'ombCategory',
  valueCoding: { system, code },
});
export const cdc = 'urn:oid:2.16.840.1.113883.6.238';
