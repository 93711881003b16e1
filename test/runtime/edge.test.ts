import path from 'node:path';
import { createMllpDestination } from '../../connectors/mllp/client.ts';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../connectors/sqlite/owner.ts';
import type { Envelope } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import type { InterfaceDefinitions, MllpSenderDefinition } from '../../core/interface.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { EndpointState } from '../../runtime/process/messages.ts';
import { Edge } from '../../runtime/edge/edge.ts';
import { Sender } from '../../runtime/edge/sender.ts';
import { newId } from '../../runtime/ids.ts';
import { until } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openPartner } from '../support/partner.ts';
import { makeTempFolder } from '../support/temp.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const queue = 'out.partner';

let owner: Owner;
let stores: OwnerClient;

beforeEach(async () => {
  const folder = makeTempFolder('edge');
  const socket = path.join(folder, 'owner.sock');
  owner = await openOwner({ file: path.join(folder, 'hilum.db'), socket, logger: silent });
  stores = await connectOwner({ socket, logger: silent });
  await stores.broker.declare({ name: queue, interface: 'lab' });
});

afterEach(async () => {
  await stores.close();
  await owner.close();
});

function definitionOf(port: number): MllpSenderDefinition {
  const base = { id: 'partner', interface: 'lab', label: 'Partner', queue };
  return { ...base, kind: 'mllp', host: '127.0.0.1', port, timeoutMs: 20_000, concurrency: 1 };
}

function openSender(port: number, parts: { broker?: Broker; ledger?: Ledger } = {}): Sender {
  const definition = definitionOf(port);
  return new Sender(definition, {
    broker: parts.broker ?? stores.broker,
    ledger: parts.ledger ?? stores.ledger,
    logger: silent,
    clock: Date.now,
    destination: createMllpDestination(definition, { logger: silent }),
  });
}

async function put(index: number): Promise<string> {
  const id = newId(Date.now());
  const envelope: Envelope = {
    id,
    interface: 'lab',
    contentType: 'application/hl7-v2',
    controlId: controlIdOf(index),
    correlationId: id,
    receivedAt: new Date().toISOString(),
    attempt: 1,
    body: Buffer.from(buildLabResult({ index, patient: 1 })),
  };
  await Promise.all([
    stores.ledger.append([{ type: 'message', envelope }]),
    stores.broker.publish(queue, envelope),
  ]);
  return id;
}

/** The real thing, but for these methods. */
function overrideIn<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get: (target, name) => {
      const own = Reflect.get(methods, name) as unknown;
      const value = own ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const stateOf = async (id: string) => (await stores.ledger.states([id])).get(id);

describe('a sender', () => {
  it('delivers what it could not look up', async () => {
    const partner = await openPartner(true);
    let refused = 0;
    const ledger = overrideIn<Ledger>(stores.ledger, {
      states: (ids) => {
        refused += 1;
        return refused === 1
          ? Promise.reject(buildError('transient', 'ledger-unavailable', 'away'))
          : stores.ledger.states(ids);
      },
    });
    const sender = openSender(partner.port, { ledger });
    sender.start();
    const id = await put(1);
    await until(
      () => stateOf(id),
      (state) => state === 'delivered',
      10_000,
    );
    expect(partner.got).toEqual([controlIdOf(1)]);
    await sender.stop(0);
    partner.close();
  });

  it('that is stopped while a partner hangs leaves the message to the one after it', async () => {
    const hanging = await openPartner(false);
    const first = openSender(hanging.port);
    first.start();
    const id = await put(2);
    await until(
      () => Promise.resolve(hanging.got.length),
      (count) => count === 1,
      5_000,
    );
    await first.stop(0);
    hanging.close();

    const answering = await openPartner(true);
    const second = openSender(answering.port);
    second.start();
    await until(
      () => stateOf(id),
      (state) => state === 'delivered',
      10_000,
    );
    expect(answering.got).toEqual([controlIdOf(2)]);
    await second.stop(0);
    answering.close();
  });

  it('consumes as soon as the broker lets it', async () => {
    const partner = await openPartner(true);
    let asked = 0;
    const broker = overrideIn<Broker>(stores.broker, {
      consume: (...args) => {
        asked += 1;
        return asked === 1
          ? Promise.reject(buildError('transient', 'broker-unavailable', 'away'))
          : stores.broker.consume(...args);
      },
    });
    const sender = openSender(partner.port, { broker });
    sender.start();
    const id = await put(3);
    await until(
      () => stateOf(id),
      (state) => state === 'delivered',
      10_000,
    );
    await sender.stop(0);
    partner.close();
  });

  it('of one message at a time keeps their order while the partner is away', async () => {
    const reserved = await openPartner(false);
    reserved.close();
    const sender = openSender(reserved.port);
    sender.start();
    const ids = [await put(5), await put(6), await put(7)];
    await until(
      async () => (await stores.ledger.trace(ids[0] ?? ''))?.events.map(({ kind }) => kind) ?? [],
      (kinds) => kinds.includes('failed'),
      5_000,
    );
    const partner = await openPartner(true, reserved.port);
    await until(
      () => stateOf(ids[2] ?? ''),
      (state) => state === 'delivered',
      15_000,
    );
    expect(partner.got).toEqual([5, 6, 7].map(controlIdOf));
    await sender.stop(0);
    partner.close();
  });

  it('does not send again what the ledger knows as delivered', async () => {
    const partner = await openPartner(true);
    const sender = openSender(partner.port);
    const id = await put(4);
    await stores.ledger.append([
      {
        type: 'event',
        event: { messageId: id, kind: 'delivered', at: new Date().toISOString(), queue },
      },
    ]);
    sender.start();
    await until(
      async () => (await stores.broker.depths()).find((depth) => depth.queue === queue),
      (depth) => depth?.ready === 0 && depth.unsettled === 0,
      5_000,
    );
    expect(partner.got).toEqual([]);
    await sender.stop(0);
    partner.close();
  });
});

describe('the edge', () => {
  const nothing: InterfaceDefinitions = { listeners: [], senders: [], queues: [] };
  const listenerOn = (port: number): InterfaceDefinitions => ({
    ...nothing,
    listeners: [
      {
        kind: 'mllp',
        id: 'listener',
        interface: 'lab',
        label: 'Laboratory',
        host: '127.0.0.1',
        port,
        acknowledge: 'received',
        queue,
        maxFrameBytes: 1_000_000,
        idleTimeoutMs: 0,
      },
    ],
  });

  function openEdge(broker: Broker): { edge: Edge; endpoints: EndpointState[] } {
    const endpoints: EndpointState[] = [];
    const edge = new Edge({
      broker,
      ledger: stores.ledger,
      logger: silent,
      clock: Date.now,
      listenAgainMs: 100,
      onEndpoint: (endpoint) => endpoints.push(endpoint),
    });
    return { edge, endpoints };
  }

  it('listens as soon as a port that was taken is free', async () => {
    const occupant = await openPartner(false);
    const { edge, endpoints } = openEdge(stores.broker);
    await edge.apply(listenerOn(occupant.port));
    expect(endpoints.at(-1)).toMatchObject({ nodeId: 'listener', state: 'failed' });
    occupant.close();
    await until(
      () => Promise.resolve(endpoints.at(-1)?.state),
      (state) => state === 'listening',
      5_000,
    );
    await edge.stop();
  });

  it('applies what comes after something that could not be applied', async () => {
    const free = await openPartner(false);
    free.close();
    let isAway = true;
    const broker = overrideIn<Broker>(stores.broker, {
      declare: (definition) =>
        isAway
          ? Promise.reject(buildError('transient', 'broker-unavailable', 'away'))
          : stores.broker.declare(definition),
    });
    const { edge, endpoints } = openEdge(broker);
    const wanted = {
      ...listenerOn(free.port),
      queues: [{ name: 'in.listener', interface: 'lab' }],
    };
    await expect(edge.apply(wanted)).rejects.toThrow('away');
    isAway = false;
    await edge.apply(wanted);
    expect(endpoints.at(-1)?.state).toBe('listening');
    await edge.stop();
  });
});
