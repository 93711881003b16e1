import { describeWith } from '../support/programs.ts';
import { runShort } from './harness/short.ts';
import { ledger } from './ledger.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  it('tells every step although the ledger was slow and away and a worker was killed meanwhile', async () => {
    await runShort(ledger, 'rabbitmq');
  }, 300_000);
});
