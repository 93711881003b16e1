import { Connection } from '../../../../connectors/rabbitmq/connection.ts';
import { LaneSession } from '../../../../connectors/rabbitmq/lane-session.ts';
import { buildNames } from '../../../../connectors/rabbitmq/names.ts';
import type { SettlementPublisher } from '../../../../connectors/rabbitmq/settlement.ts';
import { buildEnvelope, queue, silent, until, type RabbitTest } from './support.ts';

/** What a consumer takes from a lane to where it belongs, when it leaves before that is confirmed. */
export function describeMoves(rabbit: RabbitTest): void {
  describe('a message that is moved', () => {
    it.each<[string, (session: LaneSession) => Promise<void>]>([
      ['stops', (session) => session.halt()],
      ['is closed', (session) => session.close()],
      [
        'gives its lane to another',
        (session) => {
          session.yield(10_000);
          return Promise.resolve();
        },
      ],
    ])('is not left behind as well where its consumer %s meanwhile', async (_, leave) => {
      for (const envelope of [buildEnvelope(), buildEnvelope()]) {
        await rabbit.broker.publish(queue, envelope);
      }
      const connection = await Connection.open(
        rabbit.server.url,
        {},
        { name: 'moves', answerMs: 10_000 },
      );
      const begun = Promise.withResolvers<undefined>();
      const confirmed = Promise.withResolvers<undefined>();
      let moves = 0;
      const session = await LaneSession.open(connection, {
        queue,
        serverQueue: buildNames(rabbit.prefix).queue(queue),
        window: 2,
        lane: { has: () => true },
        handler: () => undefined,
        // All are moved: none is settled by a handler.
        publisher: {} as SettlementPublisher,
        findMove: () => async () => {
          moves += 1;
          begun.resolve(undefined);
          await confirmed.promise;
        },
        recycleAfterMs: 60_000,
        logger: silent,
      });
      await begun.promise;
      const leaving = leave(session);
      confirmed.resolve(undefined);
      await Promise.all([leaving, session.ended]);
      expect(moves).toBe(1);
      // The other one goes back.
      await until(async () => (await rabbit.broker.depths())[0]?.ready === 1);
      await connection.close();
    });
  });
}
