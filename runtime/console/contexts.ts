import type { FlowNode } from '../../core/interface.ts';
import { findGroupOf, findGroups } from '../deploy/groups.ts';
import type { ContextAnswer, ContextQuestion, ToChild } from '../process/messages.ts';

/** The flows where they run. */
export interface RunningFlows {
  /** In the groups in which they do. */
  readonly flows: () => readonly FlowNode[];
  /** To all that run flows. */
  readonly tellWorkers: (message: ToChild) => void;
  /** To one that runs the flows of this group. */
  readonly tellWorkerOf: (group: string, message: ToChild) => void;
}

type Options = Pick<RunningFlows, 'flows' | 'tellWorkerOf'> & { readonly newId: () => string };

type Asked = Pick<ContextQuestion, 'scope' | 'id' | 'key' | 'keysOnly'> & {
  /** Of the global context: the group; otherwise there is one. */
  readonly store?: string;
};

/** A worker that has not answered by then is busy or gone. */
const patienceMs = 3_000;

const onlyStore = 'default';

/**
 * The contexts of the workers, for the editor's sidebar. Each worker has a global one of its own: these are shown side by
 * side, each as a store that is named after its group.
 */
export class Contexts {
  readonly #options: Options;
  readonly #waiting = new Map<string, (value: unknown) => void>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** As Node-RED answers it; empty where nobody has it. */
  async get(asked: Asked): Promise<unknown> {
    const { key, keysOnly = false, store } = asked;
    const answers = await this.#askAll(asked, 'get');
    const found = answers.filter(({ value }) => value !== undefined);
    if (key !== undefined && !keysOnly) {
      const values = found.map(({ value }) => value as { readonly format?: string });
      return values.find(({ format }) => format !== 'undefined') ?? values[0] ?? {};
    }
    if (!keysOnly || store === undefined) {
      return Object.fromEntries(found.map((each) => [each.store, each.value]));
    }
    // The editor completes what is typed, and knows of no groups.
    const all = found.map(({ value }) => value as { readonly keys?: readonly object[] });
    return { [store]: { ...all[0], keys: all.flatMap(({ keys = [] }) => keys) } };
  }

  /** Resolves when it is gone, or nobody says so. */
  async delete(asked: Asked): Promise<void> {
    await this.#askAll(asked, 'delete');
  }

  /** A worker has answered; the first to do so counts. */
  answer({ ask, value }: ContextAnswer): void {
    this.#waiting.get(ask)?.(value);
  }

  async #askAll({ store, ...asked }: Asked, action: ContextQuestion['action']) {
    const flows = this.#options.flows();
    if (asked.id !== undefined) {
      const group = findGroupOf(flows, asked.id);
      if (group === undefined) return [];
      return [{ store: onlyStore, value: await this.#ask(group, { ...asked, action }) }];
    }
    const all = findGroups(flows);
    const groups = all.filter((group) => group === store);
    return Promise.all(
      (groups.length > 0 ? groups : all).map(async (group) => ({
        store: group,
        value: await this.#ask(group, { ...asked, action, group }),
      })),
    );
  }

  /** Undefined where nobody answers in time. */
  async #ask(group: string, question: Omit<ContextQuestion, 'ask'>): Promise<unknown> {
    const { newId, tellWorkerOf } = this.#options;
    const ask = newId();
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<unknown>((resolve) => {
      this.#waiting.set(ask, resolve);
      timer = setTimeout(resolve, patienceMs, undefined);
    });
    tellWorkerOf(group, { type: 'context', question: { ask, ...question } });
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(ask);
    }
  }
}
