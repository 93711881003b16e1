import { createFhirDestination } from '../../connectors/fhir/client.ts';
import { createMllpDestination } from '../../connectors/mllp/client.ts';
import { createMllpSource } from '../../connectors/mllp/server.ts';
import type {
  InterfaceDefinitions,
  ListenerDefinition,
  SenderDefinition,
} from '../../core/interface.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Source } from '../../core/ports/source.ts';
import type { Clock } from '../clock.ts';
import type { EndpointState } from '../process/messages.ts';
import { createIntake } from './intake.ts';
import { Sender } from './sender.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onEndpoint: (endpoint: EndpointState) => void;
}

/** How long a stopping listener or sender may finish what it has. */
const drainMs = 10_000;

/** All listeners and senders. `apply` brings them in line with what the flows say and leaves the rest alone. */
export class Edge {
  readonly #options: Options;
  readonly #listeners = new Map<string, { definition: ListenerDefinition; source: Source }>();
  readonly #senders = new Map<string, Sender>();
  #applying: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
  }

  /** One change after the other; what did not change keeps its connections. */
  apply(definitions: InterfaceDefinitions): Promise<void> {
    this.#applying = this.#applying.then(() => this.#apply(definitions));
    return this.#applying;
  }

  stop(): Promise<void> {
    return this.apply({ listeners: [], senders: [], queues: [] });
  }

  async #apply({ listeners, senders, queues }: InterfaceDefinitions): Promise<void> {
    await Promise.all(queues.map((queue) => this.#options.broker.declare(queue)));
    await this.#stopChanged(listeners, senders);
    await Promise.all([
      ...listeners
        .filter(({ id }) => !this.#listeners.has(id))
        .map((definition) => this.#listen(definition)),
      ...senders
        .filter(({ id }) => !this.#senders.has(id))
        .map((definition) => this.#startSender(definition)),
    ]);
  }

  async #stopChanged(
    listeners: readonly ListenerDefinition[],
    senders: readonly SenderDefinition[],
  ): Promise<void> {
    const stopping: Promise<void>[] = [];
    for (const [id, { definition, source }] of this.#listeners) {
      if (listeners.some((each) => isSame(each, definition))) continue;
      this.#listeners.delete(id);
      stopping.push(
        source.stop({ drainMs }).then(() => {
          this.#tell(definition, 'stopped', '');
        }),
      );
    }
    for (const [id, sender] of this.#senders) {
      if (senders.some((each) => isSame(each, sender.definition))) continue;
      this.#senders.delete(id);
      stopping.push(sender.stop(drainMs));
    }
    await Promise.all(stopping);
  }

  async #listen(definition: ListenerDefinition): Promise<void> {
    const { host, port, maxFrameBytes, idleTimeoutMs } = definition;
    const source = createMllpSource({
      host,
      port,
      maxFrameBytes,
      idleTimeoutMs,
      accept: createIntake(definition, this.#options),
      logger: this.#options.logger,
    });
    try {
      await source.start();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.logger.error({ listener: definition.id, err: error }, 'Cannot listen.');
      this.#tell(definition, 'failed', `cannot listen on ${host}:${port}: ${why}`);
      return;
    }
    this.#listeners.set(definition.id, { definition, source });
    this.#tell(definition, 'listening', `${host}:${source.address?.port ?? port}`);
  }

  async #startSender(definition: SenderDefinition): Promise<void> {
    const sender = new Sender(definition, {
      ...this.#options,
      destination: createDestination(definition, this.#options.logger),
    });
    this.#senders.set(definition.id, sender);
    await sender.start();
  }

  #tell({ id, label }: ListenerDefinition, state: EndpointState['state'], detail: string): void {
    this.#options.onEndpoint({ nodeId: id, label, state, detail });
  }
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
