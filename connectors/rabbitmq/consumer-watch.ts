import type { Channel } from 'amqplib';
import type { Connection } from './connection.ts';

/** A consumer, as whoever watches it has to know it. */
export interface Watched {
  readonly connection: Connection;
  readonly channel: Channel;
  readonly serverQueue: string;
  readonly everyMs: number;
  /** Why it is to end, of what only its owner knows; asked first. */
  readonly findReason: () => string | undefined;
  readonly onUnanswered: (error: unknown) => void;
  /** What is wrong with it; nobody watches it any more. */
  readonly onWrong: (reason: string) => void;
}

/**
 * Looks now and then whether RabbitMQ has a consumer where we believe to be one. Gives what ends the watch; it keeps no
 * process alive.
 */
export function watchConsumer(watched: Watched): () => void {
  const { connection, channel, serverQueue, findReason, onUnanswered, onWrong } = watched;
  /** How often in a row RabbitMQ has said that nobody consumes the queue. */
  let missed = 0;
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  const end = (reason: string): void => {
    stop();
    onWrong(reason);
  };
  const look = async (): Promise<void> => {
    const reason = findReason();
    if (reason !== undefined) {
      end(reason);
      return;
    }
    try {
      const asking = () => channel.checkQueue(serverQueue);
      const what = `The queue ${serverQueue} does not answer`;
      const { consumerCount } = await connection.call(asking, what);
      if (isOver) return;
      missed = consumerCount === 0 ? missed + 1 : 0;
      // A server under load answers 0 for what it cannot find out in time.
      if (missed > 1) end('RabbitMQ has forgotten the consumer');
    } catch (error) {
      onUnanswered(error);
    }
  };
  const timer = setInterval(() => void look(), watched.everyMs);
  timer.unref();
  return stop;
}
