import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ConceptMapDocument } from '../../core/mapping/document.ts';
import { Table } from '../../core/mapping/tables.ts';
import { mappingsFolder } from './support.ts';

const file = path.join(mappingsFolder, 'tables', 'HL70396.conceptmap.json');
const table = new Table(JSON.parse(readFileSync(file, 'utf8')) as ConceptMapDocument);

test.each([
  ['LN', 'http://loinc.org'],
  ['SCT', 'http://snomed.info/sct'],
  ['I9C', 'http://hl7.org/fhir/sid/icd-9-cm'],
  ['I10', 'http://hl7.org/fhir/sid/icd-10'],
  ['I10C', 'http://hl7.org/fhir/sid/icd-10-cm'],
  ['I10P', 'http://www.cms.gov/Medicare/Coding/ICD10'],
  ['UCUM', 'http://unitsofmeasure.org'],
  ['CVX', 'http://hl7.org/fhir/sid/cvx'],
  ['MVX', 'http://hl7.org/fhir/sid/mvx'],
  ['NDC', 'http://hl7.org/fhir/sid/ndc'],
  ['RXNORM', 'http://www.nlm.nih.gov/research/umls/rxnorm'],
  ['C4', 'http://www.ama-assn.org/go/cpt'],
  ['HPC', 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets'],
  ['NCIT', 'http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl'],
  ['ISO3166_1', 'urn:iso:std:iso:3166'],
  ['FDAUNII', 'http://fdasis.nlm.nih.gov'],
  ['NDFRT', 'http://hl7.org/fhir/ndfrt'],
  ['ICDO3', 'http://terminology.hl7.org/CodeSystem/icd-o-3'],
  ['ISO4217', 'urn:iso:std:iso:4217'],
  ['DCM', 'http://dicom.nema.org/resources/ontology/DCM'],
  ['MDC', 'urn:iso:std:iso:11073:10101'],
  ['WC', 'http://www.whocc.no/atc'],
  ['MEDR', 'https://www.meddra.org'],
])('%s is %s, both ways', (name, uri) => {
  expect(table.find(name)?.code).toBe(uri);
  expect(table.findSource(uri)).toBe(name);
});

test.each(['L', '99LAB'])('%s is local: no URI stands for it', (name) => {
  expect(table.find(name)).toBeUndefined();
});

test.each([
  ['ISO+', 'a set of units that has no URI'],
  ['ATC', 'a collection of cultures, and not the classification of drugs, which is WC'],
])('%s is %s', (name) => {
  expect(table.find(name)).toBeUndefined();
});
