import type { Broker } from '../../../core/ports/broker.ts';
import type { BrokerFixture, BrokerTest } from './fixture.ts';
import { uniqueName, buildEnvelope } from '../envelope.ts';
import { consumeInto, acceptIds, publishMany, expectDepth } from './support.ts';

/** Declaring, counting and closing. */
export function describeDeclaring(test: BrokerTest): void {
  let fixture: BrokerFixture;
  let broker: Broker;
  let queue: string;
  beforeEach(() => {
    ({ fixture, broker, queue } = test.current());
  });

  describe('declare', () => {
    it('changes nothing when it is repeated, by two clients at once too', async () => {
      const other = await fixture.reopen();
      const definition = { name: uniqueName('in'), interface: 'contract', topics: ['x.y'] };
      definition.topics = [`${definition.name}.topic`];
      await Promise.all(
        [broker, other, broker, other, broker].map((client) => client.declare(definition)),
      );
      const sent = buildEnvelope();
      await broker.publish(definition.name, sent);
      await other.declare(definition);
      const inbox = await consumeInto(broker, definition.name);
      expect((await inbox.next()).envelope.id).toBe(sent.id);
    });
  });

  describe('depths', () => {
    it('counts what waits in each declared queue, under its interface', async () => {
      const empty = uniqueName('empty');
      await broker.declare({ name: empty, interface: 'contract-2' });
      await publishMany(broker, queue, 5);
      const full = await expectDepth(broker, queue, (depth) => depth.ready === 5);
      expect(full).toMatchObject({ interface: 'contract', dead: 0, unsettled: 0 });
      const none = await expectDepth(broker, empty, (depth) => depth.ready === 0);
      expect(none).toMatchObject({ interface: 'contract-2', dead: 0 });
    });

    it('leaves out queues that were never declared', async () => {
      const names = (await broker.depths()).map((depth) => depth.queue);
      expect(names).toContain(queue);
      expect(names).not.toContain(`${queue}.dead`);
      expect(names).not.toContain(uniqueName('missing'));
    });

    it('counts what is held as unsettled or not at all, and not as ready', async () => {
      await publishMany(broker, queue, 5);
      const inbox = await consumeInto(broker, queue, 2);
      await inbox.next();
      await inbox.next();
      const depth = await expectDepth(broker, queue, ({ ready }) => ready === 3);
      expect([0, 2]).toContain(depth.unsettled);
    });
  });

  describe('close', () => {
    it('waits for what is being published, and may be repeated', async () => {
      const other = await fixture.reopen();
      const envelopes = Array.from({ length: 20 }, () => buildEnvelope());
      const publishing = envelopes.map((envelope) => other.publish(queue, envelope));
      await other.close();
      await other.close();
      await Promise.all(publishing);
      const inbox = await consumeInto(broker, queue);
      expect(await acceptIds(inbox, 20)).toEqual(envelopes.map((envelope) => envelope.id));
    });
  });
}
