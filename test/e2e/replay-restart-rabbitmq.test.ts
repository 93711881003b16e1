import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { describeReplayRestart } from './replay-restart.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  let rabbit: RabbitServer | undefined;

  afterAll(async () => {
    await rabbit?.stop();
  });

  describeReplayRestart('RabbitMQ', {
    twinsPerCrash: 1,
    open: async () => {
      rabbit = await startRabbit();
      return { RABBITMQ_URL: rabbit.url };
    },
  });
});
