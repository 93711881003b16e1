import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { Acknowledgments } from '../../../../connectors/rabbitmq/acknowledgments.ts';
import { withChannel, type RabbitTest } from './support.ts';

const bodies = ['a', 'b', 'c', 'd', 'e'];

/** Which of the five are settled in each turn of the event loop, by their place in the queue. */
type Turns = readonly (readonly number[])[];

/** What RabbitMQ is told of, in how few words, and what it has left then. */
export function describeAcknowledgments(rabbit: RabbitTest): void {
  describe('what is settled', () => {
    it.each<[string, Turns, readonly string[]]>([
      ['in one turn is told of at once', [[0, 1, 2, 3, 4]], ['e and before']],
      ['out of order too', [[3, 0, 4, 2, 1]], ['e and before']],
      ['turn by turn is told of each time', [[0], [1, 2]], ['a and before', 'c and before']],
      ['behind an unsettled one is told of by itself', [[1, 3]], ['b', 'd']],
      ['on both sides of an unsettled one is both', [[4, 1, 0]], ['e', 'b and before']],
      ['later, before it as well, is told of with it', [[1, 2], [0]], ['b', 'c', 'a and before']],
    ])('%s', async (_, turns, expected) => {
      const { told, left } = await settle(rabbit, turns);
      expect(told).toEqual(expected);
      expect(left).toEqual(bodies.filter((_body, at) => !turns.flat().includes(at)));
    });

    it('is all that RabbitMQ no longer has, in whatever order it was', async () => {
      const settled = fc.shuffledSubarray([0, 1, 2, 3, 4]);
      const anyTurns = fc
        .tuple(settled, fc.nat({ max: 5 }))
        .map(([all, first]) => [all.slice(0, first), all.slice(first)]);
      await fc.assert(
        fc.asyncProperty(anyTurns, async (turns) => {
          const { left } = await settle(rabbit, turns);
          expect(left).toEqual(bodies.filter((_body, at) => !turns.flat().includes(at)));
        }),
        { numRuns: 20 },
      );
    });

    it('is told of by nobody once the channel is given up', async () => {
      const { told, left } = await settle(rabbit, [[0]], (acknowledgments, messages) => {
        acknowledgments.acknowledge(messages[1]!);
        acknowledgments.clear();
        expect(acknowledgments.unsettled).toBe(0);
      });
      expect(told).toEqual(['a and before']);
      expect(left).toEqual(bodies.slice(1));
    });

    it('is delivered again where the channel is closing, and somebody hears of that', async () => {
      const { refused, left } = await settle(
        rabbit,
        [],
        async (acknowledgments, messages, channel) => {
          await channel.close();
          acknowledgments.acknowledge(messages[0]!);
        },
      );
      expect(refused).toEqual(['Channel closed']);
      expect(left).toEqual(bodies);
    });
  });
}

/** Has the five delivered to a channel, settles them there, and gives the rest back with the channel. */
async function settle(
  { server }: RabbitTest,
  turns: Turns,
  andThen?: (
    acknowledgments: Acknowledgments,
    messages: readonly ConsumeMessage[],
    channel: ConfirmChannel,
  ) => void | Promise<void>,
): Promise<{
  readonly told: readonly string[];
  readonly refused: readonly string[];
  readonly left: readonly string[];
}> {
  const told: string[] = [];
  const refused: string[] = [];
  return withChannel(server.url, async (lasting) => {
    const { queue } = await lasting.assertQueue('', { exclusive: false, autoDelete: false });
    for (const body of bodies) lasting.sendToQueue(queue, Buffer.from(body));
    await lasting.waitForConfirms();
    await withChannel(server.url, async (channel) => {
      const messages = await take(channel, queue);
      const ack = (message: ConsumeMessage, andBefore = false): void => {
        channel.ack(message, andBefore);
        told.push(`${String(message.content)}${andBefore ? ' and before' : ''}`);
      };
      const acknowledgments = new Acknowledgments({ ack }, (error) => {
        refused.push(error instanceof Error ? error.message : String(error));
      });
      for (const message of messages) acknowledgments.add(message);
      for (const each of turns) {
        for (const at of each) acknowledgments.acknowledge(messages[at]!);
        await turn();
      }
      expect(acknowledgments.unsettled).toBe(bodies.length - turns.flat().length);
      await andThen?.(acknowledgments, messages, channel);
      await turn();
    });
    const left: string[] = [];
    for (;;) {
      const message = await lasting.get(queue, { noAck: true });
      if (message === false) break;
      left.push(String(message.content));
    }
    await lasting.deleteQueue(queue);
    return { told, refused, left };
  });
}

async function take(channel: ConfirmChannel, queue: string): Promise<readonly ConsumeMessage[]> {
  const messages: ConsumeMessage[] = [];
  const all = Promise.withResolvers<undefined>();
  await channel.consume(queue, (message) => {
    if (message !== null) messages.push(message);
    if (messages.length === bodies.length) all.resolve(undefined);
  });
  await all.promise;
  return messages;
}
