import { existsSync } from 'node:fs';
import path from 'node:path';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { describeWith } from '../support/programs.ts';
import { startRabbit, type RabbitServer } from '../support/rabbitmq.ts';
import { makeTempFolder } from '../support/temp.ts';
import { describeLabResults } from './lab-results.ts';

const folder = path.join(makeTempFolder('lab-results-postgres'), 'hilum');

describeWith('rabbitmq-server', 'with RabbitMQ', () => {
  describeWith('postgres', 'and PostgreSQL', () => {
    let rabbit: RabbitServer | undefined;
    let postgres: PostgresServer | undefined;

    afterAll(async () => {
      // Whatever befell a message is in PostgreSQL alone: nobody has made a data file.
      expect(existsSync(folder)).toBe(true);
      expect(existsSync(path.join(folder, 'hilum.db'))).toBe(false);
      await Promise.all([rabbit?.stop(), postgres?.stop()]);
    }, 60_000);

    describeLabResults('RabbitMQ, traced in PostgreSQL', async () => {
      [rabbit, postgres] = await Promise.all([startRabbit(), startPostgres()]);
      const url = await postgres.createDatabase();
      return { RABBITMQ_URL: rabbit.url, HILUM_LEDGER_URL: url, HILUM_DATA: folder };
    });
  });
});
