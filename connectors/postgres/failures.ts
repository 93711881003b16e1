import { buildError, findFailure, type HilumError } from '../../core/errors.ts';

/** Of what the server says no try will mend: a value that its type does not take. */
const dataClasses: ReadonlySet<string> = new Set(['22', '23']);
/** Two writers of one message met: the next try sees what the other has written. */
const repeatable: ReadonlySet<string> = new Set(['23505', '40001', '40P01']);

/** The SQLSTATE of a refusal by the server; undefined: it was the connection. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the same transaction may well pass when it is made again at once. */
export function isRepeatable(error: unknown): boolean {
  return repeatable.has(sqlStateOf(error) ?? '');
}

/** Wrong login, no such database, no rights: whoever set Hilum up has to do something. */
const refusals: ReadonlySet<string> = new Set(['28000', '28P01', '3D000', '42501', '3F000']);

/** What PostgreSQL refuses, or a schema that is not ours, as against a connection that is lost. */
export function isRefusal(error: unknown): boolean {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each instanceof UnknownSchema || refusals.has(sqlStateOf(each) ?? '')) return true;
  }
  return false;
}

/** The tables are of a Hilum that this one does not know. */
export class UnknownSchema extends Error {
  override readonly name = 'UnknownSchema';
}

/** As the ledger's port tells it. Of the server's words only the code: its details quote values. */
export function toFailure(error: unknown): HilumError {
  if (findFailure(error) !== undefined) return error as HilumError;
  const state = sqlStateOf(error);
  if (state !== undefined && dataClasses.has(state.slice(0, 2)) && !isRepeatable(error)) {
    return buildError(
      'permanent',
      'ledger-entry-invalid',
      `An entry that PostgreSQL can store was expected (SQLSTATE ${state}).`,
    );
  }
  return buildError(
    'transient',
    'ledger-unavailable',
    describe(error, state),
    toCause(error, state),
  );
}

function describe(error: unknown, state: string | undefined): string {
  switch (state) {
    case undefined:
      return error instanceof UnknownSchema
        ? error.message
        : `PostgreSQL was expected to answer: ${wordsOf(error)}.`;
    case '57014':
      return 'PostgreSQL was expected to answer in time and was stopped (statement_timeout).';
    case '28P01':
    case '28000':
      return 'PostgreSQL refused the user or the password of HILUM_LEDGER_URL.';
    case '3D000':
      return 'PostgreSQL has no database of the name in HILUM_LEDGER_URL: make it.';
    case '42501':
      return 'PostgreSQL refused for want of rights: the user of HILUM_LEDGER_URL must own the schema hilum.';
    case '53100':
      return 'PostgreSQL has no room left on its disk: give it some; nothing that was confirmed is lost.';
    default:
      return `PostgreSQL was expected to take it and refused (SQLSTATE ${state}).`;
  }
}

/** What may be logged: the server's own words and details quote values. */
function toCause(error: unknown, state: string | undefined): unknown {
  if (state === undefined) return error;
  return Object.assign(new Error(`SQLSTATE ${state}`), { code: state });
}

/** Of a system's error the code, else the words of the driver, which name no values. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it did not';
  const { code } = error as NodeJS.ErrnoException;
  return code ?? error.message.replace(/\.$/, '');
}
