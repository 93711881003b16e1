import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { Hl7Message } from '../../../core/hl7v2/message.ts';

/** The message, or a failed test that says why it is none. */
export function parse(source: string | Uint8Array): Hl7Message {
  const parsed = parseMessage(source);
  if (!parsed.ok) throw new Error(parsed.issues.map((issue) => issue.code).join());
  return parsed.message;
}

/** A message with these segments behind a usual header. */
export function build(...segments: readonly string[]): string {
  return `${['MSH|^~\\&|LAB|NORTH|EHR|CLINIC|20260312142530+0100||ORU^R01^ORU_R01|M1|P|2.5.1', ...segments].join('\r')}\r`;
}

/** Published sample messages beside the repository, where somebody has put them. */
const sampleFolder = join(import.meta.dirname, '../../../../shared/data');

/** Every file of published messages, as a table for `it.each`; empty where there are none. */
export function readSamples(): readonly (readonly [string, Buffer])[] {
  const folder = join(sampleFolder, 'hl7v2');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:nd)?hl7$/.test(name))
    .sort()
    .map((name) => [name, readFileSync(join(folder, name))] as const);
}
