import { hash } from 'node:crypto';
import { on, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
import { consumeInOrder } from '../../../runtime/order/consume-in-order.ts';
import { KeyOrder } from '../../../runtime/order/key-order.ts';
import { Parking } from '../../../runtime/order/parking.ts';
import { silent } from '../owner.ts';

/** What one worker of the test is told when it is forked, as JSON. */
export interface LaneWorkerTask {
  readonly url: string;
  readonly prefix: string;
  readonly socket: string;
  readonly queue: string;
  readonly lanes: number;
  readonly out: string;
  /** The control id of a message that blocks those behind it for as long as this process lives. */
  readonly holds?: string;
  /** The control id of a message that is set aside until somebody decides, with those behind it. */
  readonly stops?: string;
  /** One message of so many is tried for a while, and blocks those behind it meanwhile. */
  readonly oneFailsOf?: number;
}

const stopped = { code: 'refused', severity: 'error', message: 'It was refused.' } as const;
/** How long a message of each key is worked on, so that keys pass each other and some is held at any moment. */
const workMs = [0, 1, 2, 5, 9];
const failingMs = 400;

/**
 * When it is told to `consume`, and until it is told to `leave`, works on an ordered queue by key, as a flow does: what
 * it makes goes to `out`, with its pid. Anything else that it is told is a key that somebody has decided about.
 */
async function work(task: LaneWorkerTask): Promise<void> {
  const { url, prefix, socket, queue, lanes, out } = task;
  const { ledger } = await connectOwner({ socket, logger: silent });
  const broker = await openRabbitBroker({
    ...{ url, prefix, logger: silent },
    record: (entries) => ledger.append(entries),
  });
  await broker.declare({ name: queue, interface: 'lab', order: { lanes } });
  await broker.declare({ name: out, interface: 'lab' });
  const window = 32;
  const parking = new Parking({ broker, ledger, logger: silent, clock: Date.now, queue });
  const keyOrder = new KeyOrder({
    order: 'key',
    window,
    parking,
    slowMs: Infinity,
    work: async (delivery, turn) => {
      const { envelope } = delivery;
      if (envelope.controlId === task.holds) {
        turn.block();
        await once(process, 'disconnect');
      }
      if (failsFor(envelope.controlId, task.oneFailsOf)) {
        turn.block();
        await wait(failingMs);
      }
      if (envelope.controlId === task.stops) {
        // Else its delivery is void: it comes again, and is stopped then.
        if (await turn.stop([stopped])) await delivery.accept();
        return;
      }
      await wait(workMs[(envelope.key?.length ?? 0) % workMs.length]);
      const made = { ...envelope, id: `${envelope.id}/out`, interface: String(process.pid) };
      const at = new Date().toISOString();
      const done = { messageId: envelope.id, kind: 'processed', at, queue } as const;
      // Where it was taken back it comes again, here or elsewhere.
      await delivery
        .accept([{ queue: out, envelope: made }], [{ type: 'event', event: done }])
        .catch(() => undefined);
    },
  });
  process.send?.('ready');
  await told('consume');
  const consumer = consumeInOrder(broker, queue, {
    ...{ keyOrder, parking, window, logger: silent, lookEveryMs: 500 },
  });
  process.on('message', (key: string) => consumer.release(key));
  process.send?.('consuming');
  await told('leave');
  // As a worker that another one follows.
  await consumer.stop();
  await keyOrder.stop();
  parking.stop();
  await broker.close();
  process.exit();
}

/** By chance, the same in every process. */
function failsFor(controlId = '', oneOf = Infinity): boolean {
  return Number.isFinite(oneOf) && hash('sha256', controlId, 'buffer').readUInt32BE() % oneOf === 0;
}

async function told(what: string): Promise<void> {
  for await (const [message] of on(process, 'message')) if (message === what) return;
}

const task = process.argv[2];
if (task !== undefined && process.send !== undefined) {
  process.on('disconnect', () => process.exit());
  await work(JSON.parse(task) as LaneWorkerTask);
}
