import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { describeLabResults } from './lab-results.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  let rabbit: RabbitServer | undefined;

  afterAll(async () => {
    await rabbit?.stop();
  });

  describeLabResults('RabbitMQ', async () => {
    rabbit = await startRabbit();
    return { RABBITMQ_URL: rabbit.url };
  });
});
