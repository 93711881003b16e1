import type { CodeSet, VersionDefinitions } from '../definitions/definitions.ts';
import { isWithin } from '../definitions/versions.ts';
import type { ElementCheck } from './element-check.ts';
import { dividers } from './marks.ts';
import type { Scan } from './scan.ts';

/**
 * Lengths, the fixed value and the codes of an element, whatever it consists of; `mark` is what divides it.
 * Numbers instead of an object, since this is asked of every value.
 */
export function checkOwnRules(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  mark: number,
): void {
  const length = end - start;
  if (length > check.maxLength || length > check.conformanceLength) {
    checkTooLong(scan, check, start, end);
  }
  if (length < check.minLength) {
    const text = `Expected ${check.minLength} characters at least, found fewer`;
    scan.report('value-too-short', 'error', text);
  }
  const { fixed, codes } = check;
  if (fixed !== undefined && scan.decode(start, end) !== fixed) {
    scan.report('value-not-fixed', 'error', 'Expected the one value that is agreed, found another');
  }
  if (codes === undefined) return;
  if (check.isCoded) {
    checkCoded(scan, check, start, end, mark);
    return;
  }
  const code = scan.decode(start, end);
  if (!codes.has(code)) reportCode(scan, check, codes, code);
}

/** The length is that of the text, so an escape sequence counts as what it stands for. */
function checkTooLong(scan: Scan, check: ElementCheck, start: number, end: number): void {
  const length = countCharacters(scan.decode(start, findValueEnd(scan, start, end)));
  if (length > check.maxLength) {
    const text = `Expected ${check.maxLength} characters at most, found ${length}`;
    // Up to 2.4 components have no lengths, and what is said of all together is often too short for them: a
    // few characters for a code with its text and system. The first one alone is beyond doubt.
    const isForAll = check.maxLength >= meantForAll;
    const isForFirst =
      isForAll || check.isLengthAgreed || check.isCoded || check.components === undefined;
    const isSure =
      check.isLengthAgreed ||
      check.components === undefined ||
      findFirst(scan, start, end) > check.maxLength;
    if (isSure && isForFirst) scan.report('value-too-long', 'error', text);
    else if (isForAll) scan.report('value-too-long', 'warning', text);
  } else if (length > check.conformanceLength) {
    const text = `Expected ${check.conformanceLength} characters at most, as every receiver can take them, found ${length}`;
    scan.report('value-too-long', 'warning', text);
  }
}

/** A shorter length of several components together can only be meant for the first, if that is a code. */
const meantForAll = 20;

/** The length of the first part in front of a delimiter. */
function findFirst({ text, table }: Scan, start: number, end: number): number {
  let at = start;
  while (at < end && ((table[text.charCodeAt(at)] ?? 0) & dividers) === 0) at++;
  return at - start;
}

/** Delimiters behind the last part say nothing and do not count. */
function findValueEnd({ text, table }: Scan, start: number, end: number): number {
  let at = end;
  while (at > start && ((table[text.charCodeAt(at - 1)] ?? 0) & dividers) !== 0) at--;
  return at;
}

/** Without an array of them: a value may be a whole document. */
function countCharacters(text: string): number {
  let count = 0;
  for (const character of text) count += character === '' ? 0 : 1;
  return count;
}

/** The code of a CWE, CE or CNE, unless its third component says that it is of another system. */
function checkCoded(
  scan: Scan,
  check: ElementCheck,
  start: number,
  end: number,
  mark: number,
): void {
  const { codes, table } = check;
  const codeEnd = findMark(scan, mark, start, end);
  const code = scan.decode(start, codeEnd);
  if (codes === undefined || code === '' || code === '""' || codes.has(code)) return;
  if (table !== undefined) {
    const textEnd = findMark(scan, mark, codeEnd + 1, end);
    const named = scan.decode(textEnd + 1, findMark(scan, mark, textEnd + 1, end));
    if (named !== '' && named !== `HL7${table}`) return;
  }
  reportCode(scan, check, codes, code);
}

function findMark({ text, table }: Scan, mark: number, start: number, end: number): number {
  let at = start;
  while (at < end && table[text.charCodeAt(at)] !== mark) at++;
  return at;
}

function reportCode(scan: Scan, { table }: ElementCheck, codes: CodeSet, code: string): void {
  const isUnderstood =
    codes.isClosed && table !== undefined && hasElsewhere(scan.checks.definitions, { table, code });
  const found = isUnderstood
    ? 'one that only another version has; it is understood as that'
    : 'another';
  const severity = codes.isClosed && !isUnderstood ? 'error' : 'warning';
  scan.report('code-not-in-table', severity, `Expected a code of ${codes.name}, found ${found}`);
}

/** Whether a later version has the code, or from 2.8 on the earlier ones for what an action code may say. */
function hasElsewhere(
  definitions: VersionDefinitions,
  { table, code }: { readonly table: string; readonly code: string },
): boolean {
  if (definitions.newest?.().findTable(table)?.codes.has(code) === true) return true;
  // PRB-1, GOL-1, PTH-1, PRT-2 and ROL-2 changed their table, and not every sender changed with them.
  const isAction = table === '0206' && isWithin(definitions.version, { from: '2.8' });
  return isAction && definitions.findTable('0287')?.codes.has(code) === true;
}
