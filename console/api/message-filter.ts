import type { LedgerFilter, MessageState, OrderedPage } from '../../core/ports/ledger.ts';
import { HttpError, type Fields } from './http.ts';

const states: Readonly<Record<MessageState, true>> = {
  received: true,
  refused: true,
  duplicate: true,
  queued: true,
  'in-progress': true,
  processed: true,
  delivered: true,
  retrying: true,
  'dead-lettered': true,
  parked: true,
  withdrawn: true,
};

const maxLimit = 500;

/**
 * The filter of a query or a body: `interface`, `queue`, `state` (several with commas), `type` (`ORU*`), `control`,
 * `key`, `from`, `to` (instants), `issue`. Throws HttpError 400 on what it cannot be.
 */
export function readFilter(fields: Fields): LedgerFilter {
  const { state, from, to } = fields;
  const texts = {
    interface: readText(fields, 'interface'),
    queue: readText(fields, 'queue'),
    messageType: readText(fields, 'type'),
    controlId: readText(fields, 'control'),
    key: readText(fields, 'key'),
    issueCode: readText(fields, 'issue'),
    receivedFrom: from === undefined ? undefined : readInstant('from', from),
    receivedTo: to === undefined ? undefined : readInstant('to', to),
  };
  const given = Object.entries(texts).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(given) as LedgerFilter),
    ...(state === undefined ? {} : { states: readStates(state) }),
  };
}

/** `limit` (default 50), `after` or `before` (a message id to go on after), `order`. Throws HttpError 400. */
export function readPage(fields: Fields): OrderedPage {
  const { limit = '50', order } = fields;
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > maxLimit) {
    throw invalid('limit', `a whole number from 1 to ${maxLimit}`);
  }
  if (order !== undefined && order !== 'newest' && order !== 'oldest') {
    throw invalid('order', 'newest or oldest');
  }
  const after = readText(fields, 'after') ?? readText(fields, 'before');
  return {
    limit: count,
    ...(after === undefined ? {} : { after }),
    ...(order === undefined ? {} : { order }),
  };
}

/** One text, or undefined where it is absent. Throws HttpError 400. */
export function readText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw invalid(name, 'one text');
  return value;
}

export function invalid(name: string, expected: string): HttpError {
  return new HttpError(400, 'query-invalid', `Expected ${expected} in "${name}", found another.`);
}

function readStates(value: unknown): readonly MessageState[] {
  const names = typeof value === 'string' ? value.split(',') : [];
  const found = names.filter(isState);
  if (found.length === 0 || found.length < names.length) {
    throw invalid('state', `one or more of ${Object.keys(states).join(', ')}`);
  }
  return found;
}

function isState(text: string): text is MessageState {
  return Object.hasOwn(states, text);
}

function readInstant(name: string, value: unknown): string {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) throw invalid(name, 'a date or an instant such as 2026-01-31T08:00:00Z');
  return new Date(ms).toISOString();
}
