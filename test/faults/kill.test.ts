import { describeWith } from '../support/programs.ts';
import { runShort } from './harness/short.ts';
import { kill } from './kill.ts';

it('loses nothing when each process is killed under load, over the embedded broker', async () => {
  await runShort(kill, 'embedded');
}, 300_000);

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  it('loses nothing when each process or RabbitMQ is killed under load', async () => {
    await runShort(kill, 'rabbitmq');
  }, 600_000);
});
