import type { LedgerFilter } from '../../core/ports/ledger.ts';

/**
 * Where a message begins again: `start`: what came in first, through its flow, each once; `failed`: the message
 * itself, in the queue where it failed or was given up last, else where it last waited.
 */
export type ReplayStep = 'start' | 'failed';

/** What is to be replayed, and how. */
export interface ReplayRequest {
  readonly filter: LedgerFilter;
  readonly step: ReplayStep;
  /** Messages a second, at most. */
  readonly rate: number;
  /** The name of the user, or `cli`. */
  readonly by: string;
}

/** `GET /api/replays/ID`: how far a replay of many messages has come. */
export interface ReplayView {
  readonly id: string;
  readonly by: string;
  readonly step: ReplayStep;
  readonly rate: number;
  /** `stopped` goes on when it is resumed; `running` also after a restart of Hilum. */
  readonly state: 'running' | 'stopped' | 'done';
  /** ISO 8601 instant; what was received later is not replayed. */
  readonly startedAt: string;
  /** How many there are; absent while they are being looked for. */
  readonly total?: number;
  readonly replayed: number;
  /** How many could not be, such as where their queue is no more. */
  readonly failed: number;
  /** How many of them for which reason, by code. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Replays of many messages, one at a time in their original order. The runtime implements it. */
export interface Replays {
  /** How many messages a request means. Rejects with HilumError `filter-empty` (permanent) where that is all. */
  count(request: Pick<ReplayRequest, 'filter' | 'step'>): Promise<number>;
  /** Resolves when the run is durable and goes on by itself. Rejects as `count` does. */
  start(request: ReplayRequest): Promise<ReplayView>;
  find(id: string): ReplayView | undefined;
  /** The newest first. */
  list(): readonly ReplayView[];
  /** Resolves when nothing more is replayed; undefined where there is no such run. */
  stop(id: string): Promise<ReplayView | undefined>;
  /** Goes on where it was stopped; what it has replayed is not replayed again. */
  resume(id: string): Promise<ReplayView | undefined>;
}
