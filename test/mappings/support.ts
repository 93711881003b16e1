import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Bundle } from '@medplum/fhirtypes';
import { parse as parseYaml } from 'yaml';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';

/** The mappings that are shipped. */
export const mappingsFolder = path.join(import.meta.dirname, '../../mappings');

/** One mapping case of test/mappings/cases. */
export interface MappingCase {
  readonly name: string;
  readonly header?: string;
  readonly segments: readonly string[];
  /** `Type[n].path` or `count.Type` to a value; `'*'` stands for any, null for none. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Exactly these; not looked at where absent. */
  readonly unconsumed?: readonly string[];
}

const header =
  'MSH|^~\\&|LABAPP|LAB^2.16.840.1.999.2^ISO|EHRAPP|EHR|20260102093000+0100||ORU^R01^ORU_R01|M1|P|2.5.1';
const order = ['PID|||C3||Low^Al', 'OBR|1|P1|F1|24331-1^Lipids^LN|||20260102'];

/** All cases; those of OBX alone stand in a small order. */
export function readCases(): readonly (MappingCase & { readonly file: string })[] {
  const folder = path.join(import.meta.dirname, 'cases');
  return readdirSync(folder).flatMap((file) => {
    const cases = parseYaml(readFileSync(path.join(folder, file), 'utf8')) as MappingCase[];
    return cases.map((one) => ({ ...one, file }));
  });
}

/** The message of a case. */
export function toMessage(one: Pick<MappingCase, 'header' | 'segments'>): Hl7Message {
  const bare = one.segments[0]?.startsWith('OBX') === true;
  const segments = [one.header ?? header, ...(bare ? order : []), ...one.segments];
  return toParsed(segments.join('\r'));
}

/** A text that must parse. */
export function toParsed(text: string): Hl7Message {
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error(parsed.issues.map(({ message }) => message).join('; '));
  return parsed.message;
}

export function openShippedMapper(): Mapper {
  return openMapper(mappingsFolder);
}

/** What stands at `Type[n].path` or `count.Type`. A negative n counts from the end. */
export function readFact(bundle: Bundle | null, fact: string): unknown {
  const [first = '', ...rest] = fact.split('.');
  const resources = (bundle?.entry ?? []).map(({ resource }) => resource);
  const ofType = (type: string): unknown[] => resources.filter((r) => r?.resourceType === type);
  if (first === 'count') return ofType(rest[0] ?? '').length;
  const [, type = '', index = '0'] = /^(\w+)\[(-?\d+)\]$/.exec(first) ?? [];
  let at: unknown = ofType(type).at(Number(index));
  for (const key of rest
    .join('.')
    .split(/[.[\]]+/)
    .filter(Boolean)) {
    at = (at as Record<string, unknown> | undefined)?.[key];
  }
  return at;
}
