import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { readProfileCopy } from '../../connectors/file/profile-files.ts';
import { createFhirDestination } from '../../connectors/fhir/client.ts';
import { createMllpDestination } from '../../connectors/mllp/client.ts';
import { createBufferBudget, type BufferBudget } from '../../connectors/mllp/buffer-budget.ts';
import { createMllpSource } from '../../connectors/mllp/server.ts';
import { openCopy } from '../../core/hl7v2/profile/profile-copy.ts';
import type { ProfileCopy } from '../../core/hl7v2/profile/profile.ts';
import {
  queueNames,
  type InterfaceDefinitions,
  type ListenerDefinition,
  type SenderDefinition,
} from '../../core/interface.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { UniqueIntake } from '../../core/ports/intake.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Source } from '../../core/ports/source.ts';
import type { Clock } from '../clock.ts';
import type { LedgerSpool } from '../spool/ledger-spool.ts';
import type { NoneSetAside } from '../order/none-set-aside.ts';
import type { EndpointState } from '../process/messages.ts';
import { Duplicates } from './duplicates.ts';
import { FlowResults } from './flow-results.ts';
import { createIntake } from './intake.ts';
import type { Inlet } from './store-attempt.ts';
import { Pace } from './pace.ts';
import { Sender } from './sender.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly ledgerSpool?: LedgerSpool;
  readonly inlet?: Inlet;
  readonly noneSetAside?: NoneSetAside;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onEndpoint: (endpoint: EndpointState) => void;
  /** Broker and ledger in one, where they are of one piece. */
  readonly intake?: UniqueIntake;
  /** Bytes of messages that all listeners hold together before they read no further. Absent: 256 MiB. */
  readonly maxBufferedBytes?: number;
  /** Which of several edges it is: the same whenever it starts. Absent: `edge`. */
  readonly name?: string;
  /** How long after a failed attempt to listen comes the next. */
  readonly listenAgainMs: number;
  /** How long a stopping listener or sender may finish what it has; default 10 s. */
  readonly drainMs?: number;
  /** So many messages may wait for a flow before its senders are kept to its pace; default: any number. */
  readonly paceAbove?: number;
  /** For the tests of it. */
  readonly paceTimes?: { readonly lookMs: number; readonly standstillMs: number };
}

interface Listener {
  readonly definition: ListenerDefinition;
  readonly source: Source;
  /** What it checks by; another one is for the next message. */
  profile: ProfileCopy | undefined;
  /** While it cannot listen. */
  retry: NodeJS.Timeout | undefined;
}

type FindProfile = (name: string) => ProfileCopy;

const readNow: FindProfile = (name) => readProfileCopy(name, {});

const usualBufferedBytes = 256 * 1024 * 1024;
const usualDrainMs = 10_000;

/** All listeners and senders. `apply` brings them in line with what the flows say and leaves the rest alone. */
export class Edge {
  readonly #options: Options;
  readonly #listeners = new Map<string, Listener>();
  readonly #senders = new Map<string, Sender>();
  readonly #budget: BufferBudget;
  readonly #drainMs: number;
  #paused: ReadonlySet<string> = new Set();
  #revision: number | undefined;
  readonly #duplicates: Duplicates;
  readonly #results: FlowResults;
  readonly #pace: Pace;
  #applying: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
    this.#budget = createBufferBudget(options.maxBufferedBytes ?? usualBufferedBytes);
    this.#drainMs = options.drainMs ?? usualDrainMs;
    this.#duplicates = new Duplicates(options);
    const replyQueue = queueNames.replies(options.name ?? 'edge');
    this.#results = new FlowResults({ ...options, replyQueue });
    this.#pace = new Pace({
      ...options,
      ...options.paceTimes,
      above: options.paceAbove ?? Infinity,
    });
  }

  /**
   * One change after the other; what did not change keeps its connections, also where its profile has. `findProfile`: the
   * profiles that listeners name; absent: as their files are. `revision`: which one this is, where roles run apart.
   */
  apply(
    definitions: InterfaceDefinitions,
    findProfile: FindProfile = readNow,
    revision?: number,
  ): Promise<void> {
    // What failed before must not keep this one from being applied.
    this.#applying = this.#applying
      .catch(() => undefined)
      .then(() => this.#apply(definitions, findProfile, revision));
    return this.#applying;
  }

  /** Somebody has decided about those of a key that are set aside. */
  release(queue: string, key: string): void {
    for (const sender of this.#senders.values()) {
      if (sender.definition.queue === queue) sender.release(key);
    }
  }

  /** Of these queues nothing is sent from now on, of all others it is. What is under way is finished. */
  pause(queues: readonly string[]): void {
    const before = this.#paused;
    this.#paused = new Set(queues);
    for (const sender of this.#senders.values()) {
      const { queue } = sender.definition;
      if (this.#paused.has(queue)) sender.pause();
      else if (before.has(queue)) sender.resume();
    }
  }

  async stop(): Promise<void> {
    this.#pace.stop();
    await this.apply({ listeners: [], senders: [], queues: [] });
    // Last: until they have stopped, listeners wait for flows.
    await this.#results.stop();
  }

  async #apply(
    { listeners, senders, queues }: InterfaceDefinitions,
    findProfile: FindProfile,
    revision: number | undefined,
  ): Promise<void> {
    const profiles = openProfiles(listeners, findProfile);
    // Before anything is taken by it: said too early it only makes a message wait a moment.
    this.#revision = revision;
    await Promise.all(queues.map((queue) => this.#options.broker.declare(queue)));
    if (listeners.some(waitsForFlows)) await this.#results.start();
    await this.#stopChanged(listeners, senders);
    for (const [id, listener] of this.#listeners) listener.profile = profiles.get(id);
    for (const definition of senders) {
      if (!this.#senders.has(definition.id)) this.#startSender(definition);
    }
    await Promise.all(
      listeners
        .filter(({ id }) => !this.#listeners.has(id))
        .map((definition) => this.#listen(definition, profiles.get(definition.id))),
    );
  }

  async #stopChanged(
    listeners: readonly ListenerDefinition[],
    senders: readonly SenderDefinition[],
  ): Promise<void> {
    const stopping: Promise<void>[] = [];
    for (const [id, { definition, source, retry }] of this.#listeners) {
      if (listeners.some((each) => isSame(each, definition))) continue;
      this.#listeners.delete(id);
      clearTimeout(retry);
      stopping.push(
        source.stop({ drainMs: this.#drainMs }).then(() => {
          this.#tell(definition, 'stopped', '');
        }),
      );
    }
    for (const [id, sender] of this.#senders) {
      if (senders.some((each) => isSame(each, sender.definition))) continue;
      this.#senders.delete(id);
      stopping.push(sender.stop(this.#drainMs));
    }
    await Promise.all(stopping);
  }

  async #listen(definition: ListenerDefinition, profile: ProfileCopy | undefined): Promise<void> {
    const { host, port, limits, queue, ...rest } = definition;
    const intake = createIntake(definition, {
      ...this.#options,
      duplicates: this.#duplicates,
      results: this.#results,
      onStored: () => this.#pace.stored(queue),
      profile: () => listener.profile,
      revision: () => this.#revision,
    });
    const source = createMllpSource({
      ...rest,
      ...limits,
      host,
      port,
      accept: (received) =>
        this.#pace.enter(queue)?.then(() => intake(received)) ?? intake(received),
      logger: this.#options.logger,
      budget: this.#budget,
    });
    const listener: Listener = { definition, source, profile, retry: undefined };
    this.#listeners.set(definition.id, listener);
    try {
      await source.start();
      if (this.#listeners.get(definition.id) !== listener) {
        await source.stop({ drainMs: this.#drainMs });
        return;
      }
      this.#tell(definition, 'listening', `${host}:${source.address?.port ?? port}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.logger.error({ listener: definition.id, err: error }, 'Cannot listen yet.');
      this.#tell(definition, 'failed', why);
      // The port may become free, and an address come up late after a boot.
      listener.retry = setTimeout(() => {
        if (this.#listeners.get(definition.id) !== listener) return;
        void this.#listen(definition, listener.profile);
      }, this.#options.listenAgainMs);
    }
  }

  #startSender(definition: SenderDefinition): void {
    const { id: nodeId, label } = definition;
    const sender = new Sender(definition, {
      ...this.#options,
      destination: createDestination(definition, this.#options.logger),
      onState: ({ state, reason: detail = '', since }) => {
        this.#options.onEndpoint({ nodeId, label, state, detail, since });
      },
    });
    this.#senders.set(definition.id, sender);
    if (this.#paused.has(definition.queue)) sender.pause();
    sender.start();
  }

  #tell({ id, label }: ListenerDefinition, state: EndpointState['state'], detail: string): void {
    this.#options.onEndpoint({ nodeId: id, label, state, detail });
  }
}

/** Those that listeners check by, by listener: before anything changes, what cannot be opened throws. */
function openProfiles(
  listeners: readonly ListenerDefinition[],
  findProfile: FindProfile,
): ReadonlyMap<string, ProfileCopy> {
  const profiles = new Map<string, ProfileCopy>();
  for (const { id, profile, acknowledge } of listeners) {
    if (profile === undefined || acknowledge !== 'validated') continue;
    const copy = findProfile(profile);
    openCopy(copy, openDefinitions());
    profiles.set(id, copy);
  }
  return profiles;
}

/** Whether some of its senders may hear from a flow. */
function waitsForFlows({ acknowledge, acknowledgment }: ListenerDefinition): boolean {
  return acknowledge === 'processed' || acknowledgment?.application === 'flow';
}

function createDestination(definition: SenderDefinition, logger: Logger): Destination {
  switch (definition.kind) {
    case 'fhir':
      return createFhirDestination(definition, { logger });
    case 'mllp':
      return createMllpDestination(definition, { logger });
  }
}

function isSame(left: object, right: object): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
