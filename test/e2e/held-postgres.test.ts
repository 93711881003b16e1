import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { describeHeld } from './held.ts';

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  describeWith('postgres', 'and PostgreSQL', () => {
    let rabbit: RabbitServer | undefined;
    let postgres: PostgresServer | undefined;

    afterAll(async () => {
      await Promise.all([rabbit?.stop(), postgres?.stop()]);
    }, 60_000);

    describeHeld('RabbitMQ, in PostgreSQL', async () => {
      [rabbit, postgres] = await Promise.all([startRabbit(), startPostgres()]);
      return { RABBITMQ_URL: rabbit.url, HILUM_LEDGER_URL: await postgres.createDatabase() };
    });
  });
});
