import { describeWith } from '../support/programs.ts';
import { runShort } from './harness/short.ts';
import { partner } from './partner.ts';

it('serves one interface while the partner of another is ill, over the embedded broker', async () => {
  await runShort(partner, 'embedded');
}, 300_000);

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  it('serves one interface while the partner of another is ill', async () => {
    await runShort(partner, 'rabbitmq');
  }, 300_000);
});
