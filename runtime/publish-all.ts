import type { Broker, Outgoing } from '../core/ports/broker.ts';

/** Publishes all of it, each to its queue or topic; resolves when all is durable, rejects as the broker does. */
export async function publishAll(broker: Broker, outgoing: readonly Outgoing[]): Promise<void> {
  await Promise.all(
    outgoing.map((each) =>
      'queue' in each
        ? broker.publish(each.queue, each.envelope)
        : broker.publishEvent(each.topic, each.envelope),
    ),
  );
}
