import path from 'node:path';
import { readCaseFilesSync } from '../../connectors/file/case-files.ts';
import { openMapper } from '../../connectors/file/mapping-files.ts';
import { HilumError } from '../../core/errors.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Issue } from '../../core/issue.ts';
import { type MappingCase, parseCases, toMessageText } from '../../core/mapping/cases/document.ts';
import type { Mapper } from '../../core/mapping/mapper.ts';

/** The mappings that are shipped. */
export const mappingsFolder = path.join(import.meta.dirname, '../../mappings');

/** All cases of the shipped mappings. */
export function readCases(): readonly MappingCase[] {
  const issues: Issue[] = [];
  const cases = readCaseFilesSync(mappingsFolder).flatMap((file) => parseCases(file, issues));
  if (issues.length > 0) throw new HilumError('permanent', issues);
  return cases;
}

/** Those of them that begin with a message. */
export const readMessageCases = (): readonly MappingCase[] =>
  readCases().filter(
    ({ resources, resource }) => resources === undefined && resource === undefined,
  );

/** The message of a case. */
export const toMessage = (one: MappingCase): Hl7Message => toParsed(toMessageText(one));

/** A text that must parse. */
export function toParsed(text: string): Hl7Message {
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error(parsed.issues.map(({ message }) => message).join('; '));
  return parsed.message;
}

export function openShippedMapper(): Mapper {
  return openMapper(mappingsFolder);
}
