import type { Message } from 'amqplib';
import { Connection } from '../../../../connectors/rabbitmq/connection.ts';
import { moveAll } from '../../../../connectors/rabbitmq/move-all.ts';
import { buildNames } from '../../../../connectors/rabbitmq/names.ts';
import { findFailure } from '../../../../core/errors.ts';
import { queue, withChannel, type RabbitTest } from './support.ts';

const count = 2_000;

/** What a queue holds when it gets its lanes. */
export function describeMoveAll(rabbit: RabbitTest): void {
  describe('what a queue without lanes holds', () => {
    let connection: Connection;
    const from = (): string => buildNames(rabbit.prefix).queue(queue);

    beforeEach(async () => {
      const { url } = rabbit.server;
      connection = await Connection.open(url, {}, { name: 'move-all', answerMs: 10_000 });
      await withChannel(url, async (channel) => {
        for (let index = 0; index < count; index += 1) {
          channel.sendToQueue(from(), Buffer.from(String(index)), { persistent: true });
        }
        await channel.waitForConfirms();
      });
    });
    afterEach(() => connection.close());

    const move = (
      by: (index: number) => Promise<void>,
      onOvertaken: (overtaken: number) => void = () => undefined,
    ): Promise<number> =>
      moveAll(connection, {
        from: from(),
        lock: buildNames(rabbit.prefix).moving(queue),
        move: (message: Message) => by(Number(message.content.toString())),
        onProgress: () => undefined,
        onOvertaken,
      });

    it('is moved in its order, each once', async () => {
      const moved: number[] = [];
      const answer = await move((index) => {
        moved.push(index);
        return Promise.resolve();
      });
      expect(answer).toBe(count);
      expect(moved).toEqual(Array.from({ length: count }, (_, index) => index));
      expect(await readAll(rabbit.server.url, from())).toEqual([]);
    });

    it('is where it was from the first on that could not be moved, and how many are ahead of it is said', async () => {
      const refused = 700;
      const moved: number[] = [];
      const overtaken: number[] = [];
      const moving = move(
        async (index) => {
          if (index === refused) throw new Error('full');
          // Not known to be moved before those behind it are.
          await Promise.resolve();
          moved.push(index);
        },
        (many) => overtaken.push(many),
      );
      await expect(moving).rejects.toMatchObject({ cause: new Error('full') });
      expect(overtaken).toEqual([moved.filter((index) => index > refused).length]);
      expect(await readAll(rabbit.server.url, from())).toEqual(
        Array.from({ length: count - refused }, (_, at) => refused + at),
      );
    });

    it('is where it was when the connection goes in the midst of it, but for what was acknowledged', async () => {
      const begun = Promise.withResolvers<undefined>();
      const moving = move((index) => {
        if (index < 600) return Promise.resolve();
        begun.resolve(undefined);
        return connection.lost.then(() => undefined);
      });
      await begun.promise;
      connection.drop(new Error('cut'));
      const error: unknown = await moving.catch((reason: unknown) => reason);
      expect(findFailure(error)?.issues[0]?.code).toBe('broker-unavailable');
      const left = await readAll(rabbit.server.url, from());
      const [first = Number.NaN] = left;
      expect(first).toBeLessThanOrEqual(600);
      expect(left).toEqual(Array.from({ length: count - first }, (_, at) => first + at));
    });
  });
}

/** What lies in a queue, in its order: it is taken out. */
function readAll(url: string, name: string): Promise<readonly number[]> {
  return withChannel(url, async (channel) => {
    const indexes: number[] = [];
    for (;;) {
      const message = await channel.get(name, { noAck: true });
      if (message === false) return indexes;
      indexes.push(Number(message.content.toString()));
    }
  });
}
