import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { describeHeld } from './held.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  let rabbit: RabbitServer | undefined;

  afterAll(async () => {
    await rabbit?.stop();
  });

  describeHeld('RabbitMQ', async () => {
    rabbit = await startRabbit();
    return { RABBITMQ_URL: rabbit.url };
  });
});
