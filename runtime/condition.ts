import type { ControlStatus, Problem } from '../console/api/control.ts';
import type { Clock } from './clock.ts';
import type { ConnectionState, StorageState } from './process/messages.ts';

interface Connection {
  readonly state: ConnectionState;
  /** ISO 8601 instant. */
  readonly since: string;
}

interface Options {
  readonly broker: 'embedded' | 'rabbitmq';
  /** Messages are taken and kept here while RabbitMQ is away. */
  readonly isSpooled: boolean;
  readonly clock: Clock;
}

/** What of the parts below the engine is not as it should be, as its processes tell: every reason not to be ready. */
export class Condition {
  readonly #options: Options;
  /** By the process whose connection it is. */
  readonly #connections = new Map<string, Connection>();
  #storage: { readonly reason: string; readonly since: string } | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The connection of a process to the broker is in this state now. */
  connection(process: string, state: ConnectionState): void {
    if (this.#connections.get(process)?.state === state) return;
    this.#connections.set(process, { state, since: this.#now() });
  }

  /** A process is gone for good, and its connection with it. */
  forget(process: string): void {
    this.#connections.delete(process);
  }

  /** The owner can write the data file, or cannot. */
  storage({ reason }: StorageState): void {
    const since = this.#storage?.since ?? this.#now();
    this.#storage = reason === undefined ? undefined : { reason, since };
  }

  problems(status: ControlStatus): readonly Problem[] {
    const brokerProblems = this.isSpooling ? [] : this.#brokerProblems();
    return [...this.#storageProblems(), ...brokerProblems, ...findEngineProblems(status)];
  }

  /** RabbitMQ is away, and messages are taken all the same. */
  get isSpooling(): boolean {
    const isAway = [...this.#connections.values()].some(({ state }) => state !== 'connected');
    return this.#options.isSpooled && this.#options.broker === 'rabbitmq' && isAway;
  }

  #storageProblems(): readonly Problem[] {
    if (this.#storage === undefined) return [];
    const { reason: message, since } = this.#storage;
    return [{ part: 'ledger', code: 'data-file-not-written', message, since }];
  }

  /** One for each state, with the processes that are in it. */
  #brokerProblems(): readonly Problem[] {
    const problems: Problem[] = [];
    for (const state of ['refused', 'disconnected', 'blocked'] as const) {
      const those = [...this.#connections].filter(([, each]) => each.state === state);
      if (those.length === 0) continue;
      const names = those.map(([name]) => name).join(', ');
      const since = those.map(([, each]) => each.since).toSorted()[0] ?? this.#now();
      problems.push({ part: 'broker', ...this.#describe(state, names), since });
    }
    return problems;
  }

  #describe(
    state: Exclude<ConnectionState, 'connected'>,
    names: string,
  ): Pick<Problem, 'code' | 'message'> {
    if (state === 'blocked') {
      return {
        code: 'broker-blocked',
        message: `RabbitMQ takes no messages (${names}): its memory or disk alarm is on. Consumers go on. Give it memory or disk, see rabbitmq-diagnostics alarms; nothing needs a restart.`,
      };
    }
    if (state === 'refused') {
      return {
        code: 'broker-access-refused',
        message: `RabbitMQ refuses Hilum (${names}). Check user, password, virtual host and permissions in RABBITMQ_URL, and start Hilum again with what is right; the log has RabbitMQ's words.`,
      };
    }
    return this.#options.broker === 'rabbitmq'
      ? {
          code: 'broker-unavailable',
          message: `There is no connection to RabbitMQ (${names}). See that it runs and can be reached; Hilum connects again by itself.`,
        }
      : {
          code: 'broker-unavailable',
          message: `There is no connection to the owner of the data file (${names}). It comes back by itself; where it does not, the log says why.`,
        };
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }
}

const because = (reason: string | undefined): string =>
  reason === undefined ? '' : `: ${reason.replace(/\.$/, '')}`;

/** What of the engine itself does not run yet, or not any more. */
function findEngineProblems({ processes, listeners, senders }: ControlStatus): readonly Problem[] {
  return [
    ...processes
      .filter(({ state }) => state !== 'running')
      .map(({ role, state, reason, since }) => ({
        code: 'process-not-running',
        message: `The process ${role} is ${state}${because(reason)}.`,
        ...(since === undefined ? {} : { since }),
      })),
    ...listeners
      .filter(({ state }) => state !== 'listening' && state !== 'stopped')
      .map(({ label, state, reason }) => ({
        code: 'listener-not-listening',
        message: `The listener "${label}" is ${state}${because(reason)}.`,
      })),
    ...senders
      .filter(({ state }) => state === 'starting')
      .map(({ label }) => ({
        code: 'sender-starting',
        message: `The sender "${label}" is starting.`,
      })),
  ].map((problem) => ({ part: 'engine', ...problem }));
}
