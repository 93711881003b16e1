import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Notification } from '../../../runtime/alarm/notification.ts';

/** A receiver of alarms on a port of its own. */
export interface AlarmReceiver {
  readonly url: string;
  readonly port: number;
  /** What it has been sent, whatever it answered, and how. */
  readonly posts: readonly {
    readonly headers: IncomingHttpHeaders;
    readonly notification: Notification;
  }[];
  /** What it answers from now on; undefined: nothing at all. */
  answer: number | undefined;
  /** Resolves when it has been sent so many in all. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startReceiver(port = 0): Promise<AlarmReceiver> {
  const posts: { headers: IncomingHttpHeaders; notification: Notification }[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      posts.push({ headers: request.headers, notification: JSON.parse(text) as Notification });
      if (receiver.answer !== undefined) {
        response.writeHead(receiver.answer, { location: '/elsewhere' }).end('an answer');
      }
      for (const look of waiting) look();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const receiver: AlarmReceiver = {
    url: `http://127.0.0.1:${address.port}/hooks/a-secret`,
    port: address.port,
    posts,
    answer: 200,
    received: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (posts.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
