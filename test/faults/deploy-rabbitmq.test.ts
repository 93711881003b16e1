import { describeWith } from '../support/programs.ts';
import { deploy } from './deploy.ts';
import { runShort } from './harness/short.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  describeWith('git', 'and git', () => {
    it('loses nothing by deploys and by crashes in their middle', async () => {
      await runShort(deploy, 'rabbitmq');
    }, 600_000);
  });
});
