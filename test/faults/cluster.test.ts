import { describeWith } from '../support/programs.ts';
import { cluster } from './cluster.ts';
import { runShort } from './harness/short.ts';

describeWith('rabbitmq-server', 'with three nodes of RabbitMQ', () => {
  it('loses nothing and keeps the order when a leader is killed, a node is cut off, and all are restarted', async () => {
    await runShort(cluster, 'rabbitmq');
  }, 600_000);
});
