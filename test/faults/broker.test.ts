import { describeWith } from '../support/programs.ts';
import { broker } from './broker.ts';
import { runShort } from './harness/short.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  it('loses nothing by cuts, an alarm, a deleted queue and another password, and says what is wrong', async () => {
    await runShort(broker, 'rabbitmq');
  }, 300_000);
});
