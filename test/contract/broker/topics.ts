import type { Broker } from '../../../core/ports/broker.ts';
import type { BrokerTest } from './fixture.ts';
import { uniqueName, buildEnvelope } from '../envelope.ts';
import { consumeInto, acceptIds, expectDepth, failureOf, codeOf } from './support.ts';

/** Events and the queues that subscribe to them. */
export function describeTopics(test: BrokerTest): void {
  let broker: Broker;
  beforeEach(() => {
    ({ broker } = test.current());
  });

  describe('topics', () => {
    let root: string;
    beforeEach(() => {
      root = uniqueName('t').replaceAll('.', '-');
    });

    const subscribe = async (...topics: string[]): Promise<string> => {
      const subscriber = uniqueName('sub');
      await broker.declare({ name: subscriber, interface: 'contract', topics });
      return subscriber;
    };

    it('copies an event into every queue that subscribes to it', async () => {
      const exact = await subscribe(`${root}.result`);
      const oneWord = await subscribe(`${root}.*`);
      const elsewhere = await subscribe(`${root}.order`);
      const sent = buildEnvelope();
      await broker.publishEvent(`${root}.result`, sent);
      for (const name of [exact, oneWord]) {
        expect((await (await consumeInto(broker, name)).next()).envelope.id).toBe(sent.id);
      }
      await expectDepth(broker, elsewhere, (depth) => depth.ready + depth.unsettled === 0);
    });

    it('gives one copy to a queue that two of its topics match', async () => {
      const subscriber = await subscribe(`${root}.result`, `${root}.#`);
      const sent = [buildEnvelope(), buildEnvelope()];
      for (const envelope of sent) await broker.publishEvent(`${root}.result`, envelope);
      const inbox = await consumeInto(broker, subscriber);
      expect(await acceptIds(inbox, 2)).toEqual(sent.map((envelope) => envelope.id));
    });

    it.each([
      ['*', 'result', true],
      ['*', 'result.final', false],
      ['#', 'result.final.x', true],
      ['#', '', true],
      ['*.final', 'result.final', true],
      ['*.final', 'final', false],
      ['#.final', 'final', true],
      ['#.final', 'a.b.final', true],
      ['a.#.z', 'a.z', true],
      ['a.#.z', 'a.b.c.z', true],
      ['a.#.z', 'a.b.c', false],
      ['result', 'results', false],
    ])('matches the pattern %s with the words "%s": %s', async (pattern, words, matches) => {
      await subscribe(`${root}.${pattern}`);
      const topic = words === '' ? root : `${root}.${words}`;
      const publishing = broker.publishEvent(topic, buildEnvelope());
      if (matches) {
        await publishing;
      } else {
        expect(codeOf(await failureOf(publishing))).toEqual(['permanent', 'topic-without-queue']);
      }
    });

    it('refuses an event that nobody subscribes to', async () => {
      const failure = await failureOf(broker.publishEvent(`${root}.nobody`, buildEnvelope()));
      expect(codeOf(failure)).toEqual(['permanent', 'topic-without-queue']);
    });

    it('adds topics to those that a queue has', async () => {
      const subscriber = await subscribe(`${root}.a`);
      await broker.declare({ name: subscriber, interface: 'contract', topics: [`${root}.b`] });
      await broker.declare({ name: subscriber, interface: 'contract' });
      const sent = [buildEnvelope(), buildEnvelope()];
      await broker.publishEvent(`${root}.a`, sent[0]!);
      await broker.publishEvent(`${root}.b`, sent[1]!);
      const inbox = await consumeInto(broker, subscriber);
      expect(await acceptIds(inbox, 2)).toEqual(sent.map((envelope) => envelope.id));
    });
  });
}
