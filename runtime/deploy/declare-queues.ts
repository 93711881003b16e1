import type { Stores } from '../broker.ts';
import type { Deployed } from './deployed.ts';

/** Makes all queues exist that what is deployed asks for. */
export async function declareQueues({ compiled }: Deployed, { broker }: Stores): Promise<void> {
  await Promise.all(compiled.definitions.queues.map((queue) => broker.declare(queue)));
}
