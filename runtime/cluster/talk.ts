import type { ControlStatus, Problem } from '../../console/api/control.ts';
import type { Shown } from '../engine.ts';
import type { ToChild } from '../process/messages.ts';

/** What one role tells the others. */
export type Talk =
  /** To whoever has the process that this is for; with `to`, to this member alone. */
  | { readonly kind: 'tell'; readonly message: ToChild; readonly to?: string }
  /** What a worker's Node-RED said, for open editors. */
  | { readonly kind: 'show'; readonly what: Shown; readonly event: object }
  /** An editor has opened: the last status of every node is to be told again. */
  | { readonly kind: 'statuses' }
  /** A flow that kept ending its worker is to be tried again. */
  | { readonly kind: 'start'; readonly interface: string };

/** What a role says of itself, again and again. */
export interface Report {
  readonly status: ControlStatus;
  readonly problems: readonly Problem[];
}

/** The names under which operators' decisions are kept. */
export const keptNames = {
  paused: 'paused-queues',
  stopped: 'stopped-interfaces',
  held: 'held-decisions',
} as const;

export const reportEveryMs = 2_000;
/** Whoever has said nothing for so long is gone. */
export const goneAfterMs = 15_000;
