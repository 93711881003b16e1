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
  patientLayer(
    'acme',
    '{ id: PID-7.birth-date, override: disable }',
    "{ id: PID-23.birth-place, override: add, from: PID-23, to: 'extension[+].valueString', also: { 'extension[-1].url': 'urn:acme:born' } }",
  ),
  file('layers/acme/sex.csv', 'code,target', '9,other'),
  patientMessage('ADT^A01'),
  patientSegment(
    '{ id: PID-3.set-aside, from: PID-3, ignore: It is the key. }',
    "{ id: PID-5.name, from: 'PID-5[*]', to: 'name[+]', via: XPN.HumanName }",
    '{ id: PID-7.birth-date, from: PID-7, to: birthDate, fn: date }',
    '{ id: PID-8.gender, from: PID-8, to: gender, table: sex }',
  ),
  file('tables/sex.csv', 'code,target', 'F,female', 'M,male'),
];

/** A message map that makes a Patient of PID, and of nothing else; the other segments go unmapped. */
export function patientMessage(
  messageType = 'ORU^R01',
  { more = [], request = 'update, system: urn:hilum:patient' }: PatientMessage = {},
): MappingFile {
  const id = messageType.replace('^', '_');
  return file(
    `message/${id}.map.yaml`,
    'kind: MessageMap',
    `id: ${id}`,
    `source: { messages: [${messageType}] }`,
    `structure: { segments: [${['MSH', 'PID', ...more].join(', ')}], groups: [] }`,
    'resources:',
    '  - id: patient',
    '    resource: Patient',
    '    maps: [PID.Patient]',
    `    identity: { request: ${request}, key: { by: [[PID-3.1]] } }`,
  );
}

interface PatientMessage {
  /** Segments that its structure has too. */
  readonly more?: readonly string[];
  /** How the Patient is written, and what else is said of its identity. */
  readonly request?: string;
}

/** What PID.Patient makes of PID, by rules as YAML writes them, a line each. */
export function patientSegment(...rules: readonly string[]): MappingFile {
  return file(
    'segment/PID.Patient.map.yaml',
    'kind: SegmentMap',
    'id: PID.Patient',
    'source: { v2: PID }',
    'target: { fhir: Patient }',
    'rules:',
    ...rules.map((rule) => `  - ${rule}`),
  );
}

/** What a layer makes of PID.Patient. */
export function patientLayer(layer: string, ...rules: readonly string[]): MappingFile {
  return file(
    `layers/${layer}/PID.Patient.map.yaml`,
    'kind: SegmentMap',
    `id: PID.Patient@${layer}`,
    'extends: PID.Patient',
    `layer: ${layer}`,
    'rules:',
    ...rules.map((rule) => `  - ${rule}`),
  );
}

/** A message for them. */
export const smallMessage =
  'MSH|^~\\&|A|B|C|D|20260102||ADT^A01|M1|P|2.5.1\rPID|||C3||Low^Al||19800102|F|||||||||||||||Town';

/** Writes them, and other files, into a folder. */
export function writeMappings(
  folder: string,
  ...more: readonly (readonly [name: string, text: string])[]
): void {
  writeMappingFiles(folder, [
    ...smallMappings,
    ...more.map(([name, text]) => ({ path: name, text })),
  ]);
}

/** Writes these alone into a folder. */
export function writeMappingFiles(folder: string, files: readonly MappingFile[]): void {
  for (const { path: name, text } of files) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}
