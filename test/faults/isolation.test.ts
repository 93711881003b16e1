import { describeWith } from '../support/programs.ts';
import { runShort } from './harness/short.ts';
import { isolation } from './isolation.ts';

it('keeps one interface apart from whatever ends the worker of another, over the embedded broker', async () => {
  await runShort(isolation, 'embedded');
}, 600_000);

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  it('keeps one interface apart from whatever ends the worker of another', async () => {
    await runShort(isolation, 'rabbitmq');
  }, 600_000);
});
