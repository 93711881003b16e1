import { describeWith } from '../support/programs.ts';
import { runShort } from './harness/short.ts';
import { postgres } from './postgres.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  describeWith('postgres', 'and PostgreSQL', () => {
    it('goes on while PostgreSQL is away, and tells every step afterwards', async () => {
      await runShort(postgres, 'rabbitmq');
    }, 300_000);
  });
});
