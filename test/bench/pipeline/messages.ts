import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const sample = readFileSync(join(import.meta.dirname, '../../../samples/adt-a01.hl7'), 'utf8');
const bytes = 2_000;

/** An ADT_A01 of 2 kB, valid for its version, of an invented patient of its own. */
export function buildAdmission(number: number): Buffer {
  const segments = sample.split('\r').filter((segment) => segment !== '');
  const text = segments.map((segment) => replaceIds(segment, number)).join('\r');
  const [before = '', after = ''] = text.split(/(?=\rGT1)/);
  let filled = before;
  for (let at = 2; Buffer.byteLength(filled + after) < bytes; at += 1) {
    filled += `\rDG1|${at}||Z${10 + at}.0^Invented condition number ${at}^I10||20260312|A`;
  }
  return Buffer.from(`${filled}${after}\r`);
}

function replaceIds(segment: string, number: number): string {
  const fields = segment.split('|');
  if (fields[0] === 'MSH') fields[9] = controlIdOf(number);
  if (fields[0] === 'PID') fields[3] = `P${String(number).padStart(9, '0')}^^^GREENFIELD^MR`;
  return fields.join('|');
}

/** The control id of {@link buildAdmission}. */
function controlIdOf(number: number): string {
  return `A${String(number).padStart(9, '0')}`;
}
