import { randomUUID } from 'node:crypto';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import { findIssues } from '../../../connectors/rabbitmq/message.ts';
import { buildNames } from '../../../connectors/rabbitmq/names.ts';
import type { Issue } from '../../../core/issue.ts';
import type { Broker } from '../../../core/ports/broker.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import { describeBroker } from '../../contract/broker.ts';
import { describeWith } from '../../support/programs.ts';
import type { RabbitServer } from '../../support/rabbitmq.ts';
import { startRabbit } from '../../support/rabbitmq.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';
import { deleteQueues, silent, withChannel } from './broker/support.ts';

describeWith('rabbitmq-server', 'RabbitMQ', () => {
  let server: RabbitServer;

  beforeAll(async () => {
    server = await startRabbit();
  }, 150_000);

  afterAll(async () => {
    await server.stop();
  });

  describeBroker(
    'RabbitMQ',
    async () => {
      const proxy = await openTcpProxy({ port: server.port });
      // A prefix of its own, so that a test sees nothing of the one before it.
      const prefix = `t${randomUUID().slice(0, 8)}`;
      const recorded = new Set<string>();
      const record = (entries: readonly LedgerEntry[]): Promise<void> => {
        for (const entry of entries)
          if (entry.type === 'event') recorded.add(entry.event.messageId);
        return Promise.resolve();
      };
      const declared = new Set<string>();
      let wasKilled = false;
      let warnings = 0;
      const open = async (port: number): Promise<Broker> => {
        const client = await openRabbitBroker({
          url: `amqp://guest:guest@127.0.0.1:${port}`,
          logger: { ...silent, warn: () => (warnings += 1) },
          prefix,
          record,
          timeoutMs: 5_000,
          // A server that was killed is back sooner than most.
          patience: { answerMs: 10_000, longestDelayMs: 500 },
        });
        const declare = client.declare.bind(client);
        client.declare = (queue) => {
          declared.add(queue.name);
          return declare(queue);
        };
        return client;
      };
      const broker = await open(proxy.port);
      const others: Broker[] = [];
      return {
        broker,
        async reopen() {
          const other = await open(server.port);
          others.push(other);
          return other;
        },
        cut() {
          proxy.cut();
          return Promise.resolve();
        },
        async restart() {
          wasKilled = true;
          await server.kill();
          await server.start();
        },
        async refuseToStore() {
          await server.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
          return async () => {
            await server.ctl('set_vm_memory_high_watermark', '0.4');
          };
        },
        async deadLetters(queue) {
          return withChannel(server.url, async (channel) => {
            const name = buildNames(prefix).dead(queue);
            const letters: { id: string; issues: readonly Issue[] }[] = [];
            for (;;) {
              const message = await channel.get(name);
              if (message === false) return letters;
              letters.push({
                id: String(message.properties.messageId),
                issues: findIssues(message),
              });
            }
          });
        },
        warnings: () => warnings,
        recorded: (ids) => Promise.resolve(ids.filter((id) => recorded.has(id))),
        async close() {
          await Promise.all([broker, ...others].map((client) => client.close()));
          await proxy.close();
          // A server with many queues takes long to start again. One that has just started, and is told to delete what
          // it recovers, may refuse what is declared next (541 on 3.10).
          if (!wasKilled) await deleteQueues(server.url, prefix, [...declared]);
        },
      };
    },
    { keepsOrderOverCrash: false },
  );
});
