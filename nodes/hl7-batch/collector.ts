import { buildError } from '../../core/errors.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import type { Hl7BatchConfig } from './definition.ts';

/** A message that waits for the others of its batch. */
export interface Waiting {
  readonly message: FlowMessage;
  readonly send: (message: FlowMessage) => void;
  readonly done: (error?: Error) => void;
}

interface Group {
  readonly waiting: Waiting[];
  timer: NodeJS.Timeout | undefined;
}

interface Options extends Pick<Hl7BatchConfig, 'collect' | 'incomplete'> {
  readonly count: number;
  readonly timeoutMs: number;
  /** All of one batch, in their order. Ends them: sends, and calls every `done` in the same tick. */
  readonly onComplete: (waiting: readonly Waiting[]) => void;
}

/**
 * Holds messages until their batch is complete. Each stays unfinished until then, so that none counts as
 * processed before the batch is sent: after a crash all of them come again.
 */
export class Collector {
  readonly #options: Options;
  readonly #groups = new Map<string, Group>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** How many messages are held. */
  get held(): number {
    return [...this.#groups.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  take(waiting: Waiting): void {
    const { collect, count, timeoutMs } = this.#options;
    const parts = readParts(waiting.message);
    if (collect === 'parts' && parts === undefined) {
      const message = 'Expected a message that was split from a batch (msg.parts), found another.';
      waiting.done(buildError('permanent', 'parts-missing', message));
      return;
    }
    const key = collect === 'parts' ? (parts?.id ?? '') : '';
    const group = this.#groups.get(key) ?? { waiting: [], timer: undefined };
    this.#groups.set(key, group);
    group.waiting.push(waiting);
    clearTimeout(group.timer);
    if (group.waiting.length >= (collect === 'parts' ? (parts?.count ?? 1) : count)) {
      this.#groups.delete(key);
      this.#complete(group);
    } else {
      group.timer = setTimeout(() => this.#expire(key, group), timeoutMs);
    }
  }

  /** The node stops: what is held is tried again from its start. */
  stop(): void {
    for (const [key, group] of this.#groups) {
      clearTimeout(group.timer);
      this.#groups.delete(key);
      fail(
        group,
        buildError('transient', 'flow-stopped', 'The flow stopped before the batch was complete.'),
      );
    }
  }

  #expire(key: string, group: Group): void {
    this.#groups.delete(key);
    if (this.#options.incomplete === 'send') {
      this.#complete(group);
      return;
    }
    const message = `Expected the rest of the batch within ${this.#options.timeoutMs / 1000} s, found ${group.waiting.length} messages of it.`;
    fail(group, buildError('permanent', 'batch-incomplete', message));
  }

  #complete({ waiting }: Group): void {
    const ordered = [...waiting].sort((left, right) => positionOf(left) - positionOf(right));
    this.#options.onComplete(ordered);
  }
}

function fail({ waiting }: Group, error: Error): void {
  for (const { done } of waiting) done(error);
}

function readParts(
  message: FlowMessage,
): { readonly id: string; readonly index: number; readonly count: number } | undefined {
  const parts = message['parts'] as Record<string, unknown> | null | undefined;
  const { id, index, count } = parts ?? {};
  const isWhole = typeof id === 'string' && typeof index === 'number' && typeof count === 'number';
  return isWhole ? { id, index, count } : undefined;
}

/** Where it stood before; messages that were never split stay in the order of their arrival. */
function positionOf({ message }: Waiting): number {
  return readParts(message)?.index ?? 0;
}
