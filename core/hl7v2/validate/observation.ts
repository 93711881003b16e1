import { isWithin, type Version } from '../definitions/versions.ts';
import { checkElement } from './check-element.ts';
import { dividers, marks } from './marks.ts';
import type { Scan } from './scan.ts';

/**
 * OBX-2 against table 0125, each repetition of OBX-5 against what OBX-2 says it is, and OBX-11 against
 * table 0085: a code that only a later version has is a warning, since it can be understood. HL7 v2
 * chapter 7, OBX.
 */
export function checkObservation(scan: Scan): void {
  checkValue(scan);
  checkStatus(scan);
}

function checkStatus(scan: Scan): void {
  const code = scan.firstOf(11);
  // An empty one is missing and reported as such; the HL7 null is a value of its own.
  if (code === '' || code === '""') return;
  const from = Object.hasOwn(resultStatuses, code) ? resultStatuses[code] : undefined;
  const { version } = scan.checks.definitions;
  if (from !== undefined && isWithin(version, { from })) return;
  scan.position = 11;
  const text =
    from === undefined
      ? 'Expected a result status of table 0085, such as F or P, found another code'
      : `Expected a result status that table 0085 has in version ${version}, found one that it has from ${from} on; it is understood as that`;
  scan.reportOnce('code-not-in-table', from === undefined ? 'error' : 'warning', text);
}

function checkValue(scan: Scan): void {
  const { definitions } = scan.checks;
  // Some senders name the table too (`CWE^^HL70125`); receivers ignore components they do not expect.
  const type = scan.firstOf(2);
  if (type === '' || type === '""') {
    if (!isValued(scan, 5) || scan.firstOf(11) === 'X') return;
    scan.position = 2;
    const text = 'Expected the type of the value in OBX-5, found none';
    scan.reportOnce('required-field-missing', 'error', text);
    return;
  }
  if (!valueTypes.has(type) && definitions.findTable('0125')?.codes.has(type) !== true) {
    scan.position = 2;
    const text = 'Expected a datatype of table 0125, such as NM or CWE, found another code';
    scan.reportOnce('code-not-in-table', 'error', text);
    return;
  }
  if (isValued(scan, 5)) checkRepetitions(scan, type);
}

/** Anything but delimiters and the HL7 null. */
function isValued(scan: Scan, position: number): boolean {
  const { text, table } = scan;
  const end = scan.endOf(position);
  for (let at = scan.startOf(position); at < end; at++) {
    const code = text.charCodeAt(at);
    if (code !== quote && ((table[code] ?? 0) & dividers) === 0) return true;
  }
  return false;
}

const quote = 34;

function checkRepetitions(scan: Scan, type: string): void {
  const check = scan.checks.findDatatype(type);
  if (check === undefined || check.isOpaque) return;
  const { text, table } = scan;
  const end = scan.endOf(5);
  let start = scan.startOf(5);
  let kinds = 0;
  scan.position = 5;
  for (let at = start; at <= end; at++) {
    const kind = at === end ? marks.repetition : (table[text.charCodeAt(at)] ?? 0);
    kinds |= kind;
    if (kind !== marks.repetition) continue;
    if (at > start) {
      const isDivided = (kinds & (marks.component | marks.subcomponent)) !== 0;
      // A number in two parts is another number, or none: nobody may read the first part for the whole.
      if (check.form !== undefined && isDivided) reportDivided(scan, check.form.expected);
      else checkElement(scan, check, start, at, kinds & ~marks.repetition);
      if (type === 'SN') checkStructuredNumber(scan, start, at);
    }
    scan.repetition++;
    start = at + 1;
    kinds = 0;
  }
  scan.repetition = 1;
}

function reportDivided(scan: Scan, expected: string): void {
  const text = `Expected ${expected}, as OBX-2 says, found a value that delimiters divide`;
  scan.report('value-invalid', 'error', text);
}

/** HL7 v2 chapter 2A, SN: what may stand in front of the first number. */
const comparators: ReadonlySet<string> = new Set(['>', '<', '>=', '<=', '=', '<>']);

function checkStructuredNumber(scan: Scan, start: number, end: number): void {
  const { text, table } = scan;
  let at = start;
  while (at < end && table[text.charCodeAt(at)] !== marks.component) at++;
  const comparator = scan.decode(start, at);
  if (comparator === '' || comparator === '""' || comparators.has(comparator)) return;
  scan.component = 1;
  const expected = 'Expected a comparator such as < in front of the number, or nothing';
  scan.report('value-invalid', 'error', `${expected}, found other text`);
  scan.component = 0;
}

/** HL7 table 0085, each code with the first version that has it: codes were only ever added. */
const resultStatuses: Readonly<Record<string, Version>> = {
  D: '2.1',
  F: '2.1',
  I: '2.1',
  R: '2.1',
  S: '2.1',
  C: '2.2',
  P: '2.2',
  U: '2.2',
  X: '2.2',
  N: '2.3.1',
  O: '2.3.1',
  W: '2.3.1',
  A: '2.8',
  B: '2.8',
  V: '2.8',
};

/** What OBX-2 may name in any version, beside what table 0125 has in the message's own. */
const valueTypes: ReadonlySet<string> = new Set(
  (
    'AD CD CE CF CK CN CNE CNN CP CQ CWE CX DLN DR DT DTM ED EI FT GTS HD ID IS JCC MA MO NA NM NR PL PN PPN ' +
    'RI RP SI SN ST TM TN TS TX XAD XCN XON XPN XTN'
  ).split(' '),
);
