import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
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
}

/** How long a message of each key is worked on, so that keys pass each other and some is held at any moment. */
const workMs = [0, 1, 2, 5, 9];

/** When it is told to, and until it is told to leave, works on an ordered queue by key, as a flow does: what it makes goes to `out`, with its pid. */
async function work({ url, prefix, socket, queue, lanes, out }: LaneWorkerTask): Promise<void> {
  const { ledger } = await connectOwner({ socket, logger: silent });
  const broker = await openRabbitBroker({ url, prefix, logger: silent });
  await broker.declare({ name: queue, interface: 'lab', order: { lanes } });
  await broker.declare({ name: out, interface: 'lab' });
  const window = 32;
  const parking = new Parking({ broker, ledger, logger: silent, clock: Date.now, queue });
  const keyOrder = new KeyOrder({
    order: 'key',
    window,
    parking,
    slowMs: Infinity,
    work: async (delivery) => {
      const { envelope } = delivery;
      await wait(workMs[(envelope.key?.length ?? 0) % workMs.length]);
      const made = { ...envelope, id: `${envelope.id}/out`, interface: String(process.pid) };
      // Where it was taken back it comes again, here or elsewhere.
      await delivery.accept([{ queue: out, envelope: made }]).catch(() => undefined);
    },
  });
  await keyOrder.open();
  process.send?.('ready');
  await once(process, 'message');
  const mayShare = (): boolean => !keyOrder.hasSetAside;
  const consumer = await broker.consume(queue, { window, mayShare }, (delivery) =>
    keyOrder.take(delivery),
  );
  process.send?.('consuming');
  await once(process, 'message');
  // As a worker that another one follows.
  await consumer.stop();
  await keyOrder.stop();
  parking.stop();
  await broker.close();
  process.exit();
}

const task = process.argv[2];
if (task !== undefined && process.send !== undefined) {
  process.on('disconnect', () => process.exit());
  await work(JSON.parse(task) as LaneWorkerTask);
}
