import { randomUUID } from 'node:crypto';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import { describeWith } from '../../support/programs.ts';
import type { RabbitServer } from '../../support/rabbitmq.ts';
import { startRabbit } from '../../support/rabbitmq.ts';
import { describeCounters } from './broker/counters.ts';
import { describeForeign } from './broker/foreign.ts';
import { describeRecovery } from './broker/recovery.ts';
import { describeRefusals } from './broker/refusals.ts';
import { describeSettlements } from './broker/settlements.ts';
import { silent, type RabbitTest } from './broker/support.ts';

/** What the contract, which every broker passes, does not say: what is RabbitMQ's own. */
describeWith('rabbitmq-server', 'the broker on RabbitMQ', () => {
  let server: RabbitServer;

  beforeAll(async () => {
    server = await startRabbit({ withMetrics: true });
  }, 150_000);

  afterAll(async () => {
    await server.stop();
  });

  let broker: Broker;
  let prefix: string;
  const queue = 'in.test';

  beforeEach(async () => {
    prefix = `t${randomUUID().slice(0, 8)}`;
    broker = await openRabbitBroker({ url: server.url, logger: silent, prefix });
    await broker.declare({ name: queue, interface: 'tab-1' });
  });

  afterEach(async () => {
    await broker.close();
  });

  const test: RabbitTest = { current: () => ({ server, broker, prefix, queue }) };
  describeForeign(test);
  describeRefusals(test);
  describeSettlements(test);
  describeRecovery(test);
  describeCounters(test);
});
