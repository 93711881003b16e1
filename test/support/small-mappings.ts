import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { MappingFile } from '../../core/mapping/document.ts';

const file = (name: string, ...lines: readonly string[]): MappingFile => ({
  path: name,
  text: `${lines.join('\n')}\n`,
});

/** One message, one segment, one datatype, one table, and a layer `acme` over them. */
export const smallMappings: readonly MappingFile[] = [
  file(
    'datatype/XPN.HumanName.map.yaml',
    'kind: DatatypeMap',
    'id: XPN.HumanName',
    'source: { v2: XPN }',
    'target: { fhir: HumanName }',
    'rules:',
    "  - { id: XPN.1.family, from: '1', to: family }",
  ),
  file(
    'layers/acme/PID.Patient.map.yaml',
    'kind: SegmentMap',
    'id: PID.Patient@acme',
    'extends: PID.Patient',
    'layer: acme',
    'rules:',
    '  - { id: PID-7.birth-date, override: disable }',
    "  - { id: PID-23.birth-place, override: add, from: PID-23, to: 'extension[+].valueString', also: { 'extension[-1].url': 'urn:acme:born' } }",
  ),
  file('layers/acme/sex.csv', 'code,target', '9,other'),
  file(
    'message/ADT_A01.map.yaml',
    'kind: MessageMap',
    'id: ADT_A01',
    'source: { messages: [ADT^A01] }',
    'structure: { segments: [MSH, PID], groups: [] }',
    'resources:',
    '  - id: patient',
    '    resource: Patient',
    '    maps: [PID.Patient]',
    '    identity: { request: update, system: urn:hilum:patient, key: { by: [[PID-3.1]] } }',
  ),
  file(
    'segment/PID.Patient.map.yaml',
    'kind: SegmentMap',
    'id: PID.Patient',
    'source: { v2: PID }',
    'target: { fhir: Patient }',
    'rules:',
    '  - { id: PID-3.set-aside, from: PID-3, ignore: It is the key. }',
    "  - { id: PID-5.name, from: 'PID-5[*]', to: 'name[+]', via: XPN.HumanName }",
    '  - { id: PID-7.birth-date, from: PID-7, to: birthDate, fn: date }',
    '  - { id: PID-8.gender, from: PID-8, to: gender, table: sex }',
  ),
  file('tables/sex.csv', 'code,target', 'F,female', 'M,male'),
];

/** A message for them. */
export const smallMessage =
  'MSH|^~\\&|A|B|C|D|20260102||ADT^A01|M1|P|2.5.1\rPID|||C3||Low^Al||19800102|F|||||||||||||||Town';

/** Writes them, and other files, into a folder. */
export function writeMappings(
  folder: string,
  ...more: readonly (readonly [name: string, text: string])[]
): void {
  const files = smallMappings.map(({ path: name, text }) => [name, text] as const);
  for (const [name, text] of [...files, ...more]) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}
