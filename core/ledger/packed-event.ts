import type { HeldCode } from '../held-code.ts';
import type { Issue } from '../issue.ts';
import type { LedgerEvent } from '../ports/ledger.ts';
import { eventKinds } from './codes.ts';

/**
 * An event as the file has it: its number in the order of arrival, the index of its kind in eventKinds, and what is
 * left of its fields. Part of the file's format.
 */
export type PackedEvent = readonly [
  number: number,
  kind: number,
  at: string,
  queue?: string | null,
  attempt?: number | null,
  summary?: string | null,
  issues?: readonly Issue[] | null,
  held?: readonly HeldCode[] | null,
];

export function packEvent(number: number, event: LedgerEvent): PackedEvent {
  const { kind, at, queue = null, attempt = null, summary = null, issues = null, held } = event;
  const code = eventKinds.indexOf(kind);
  if (held != null) return [number, code, at, queue, attempt, summary, issues, held];
  if (issues !== null) return [number, code, at, queue, attempt, summary, issues];
  if (summary !== null) return [number, code, at, queue, attempt, summary];
  return [number, code, at, queue, attempt];
}

export function toEvent(packed: PackedEvent, messageId: string): LedgerEvent {
  const [, kind, at, queue, attempt, summary, issues, held] = packed;
  return {
    messageId,
    kind: eventKinds[kind] ?? 'received',
    at,
    ...(queue == null ? {} : { queue }),
    ...(attempt == null ? {} : { attempt }),
    ...(summary == null ? {} : { summary }),
    ...(issues == null ? {} : { issues }),
    ...(held == null ? {} : { held }),
  };
}
