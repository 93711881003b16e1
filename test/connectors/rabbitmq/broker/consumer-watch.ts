import type { Channel } from 'amqplib';
import { Connection } from '../../../../connectors/rabbitmq/connection.ts';
import { watchConsumer, type Watched } from '../../../../connectors/rabbitmq/consumer-watch.ts';
import { buildNames } from '../../../../connectors/rabbitmq/names.ts';
import { queue, until, type RabbitTest } from './support.ts';

/** When a consumer is found not to be one any more, as far as RabbitMQ knows. */
export function describeConsumerWatch(rabbit: RabbitTest): void {
  describe('a consumer that is watched', () => {
    let connection: Connection;
    let channel: Channel;
    let wrong: string[];
    let looks: number;
    beforeEach(async () => {
      const { url } = rabbit.server;
      connection = await Connection.open(url, {}, { name: 'watch', answerMs: 10_000 });
      channel = await connection.createChannel();
      wrong = [];
      looks = 0;
    });
    afterEach(() => connection.close());

    const serverQueue = (): string => buildNames(rabbit.prefix).queue(queue);
    const looked = (times: number): Promise<void> => until(() => Promise.resolve(looks >= times));
    const watch = (options: Partial<Watched> = {}): (() => void) =>
      watchConsumer({
        ...{ connection, channel, serverQueue: serverQueue(), everyMs: 50 },
        findReason: () => {
          looks += 1;
          return undefined;
        },
        onUnanswered: () => wrong.push('unanswered'),
        onWrong: (reason) => wrong.push(reason),
        ...options,
      });

    it('ends where RabbitMQ says twice that nobody consumes the queue', async () => {
      watch();
      await until(() => Promise.resolve(wrong.length > 0));
      expect(wrong).toEqual(['RabbitMQ has forgotten the consumer']);
      expect(looks).toBeGreaterThanOrEqual(2);
    });

    it('goes on where RabbitMQ knows it', async () => {
      await channel.consume(serverQueue(), () => undefined);
      const stop = watch();
      await looked(4);
      stop();
      expect(wrong).toEqual([]);
    });

    it('ends for what its owner knows, without asking RabbitMQ', async () => {
      await channel.close();
      watch({ findReason: () => 'held for long' });
      await until(() => Promise.resolve(wrong.length > 0));
      expect(wrong).toEqual(['held for long']);
    });

    it('goes on where RabbitMQ does not answer, and says so', async () => {
      await channel.close();
      const stop = watch();
      await looked(3);
      stop();
      expect(new Set(wrong)).toEqual(new Set(['unanswered']));
    });
  });
}
