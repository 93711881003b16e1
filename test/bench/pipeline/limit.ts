/** Bare MLLP with a durable commit before the acknowledgment: what nobody can be faster than here. */
import { rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeTempFolder } from '../../support/temp.ts';

/** Its port; `stop` removes what it has written. */
export async function startLimit(): Promise<{ readonly port: number; stop(): void }> {
  const folder = makeTempFolder('limit');
  const database = new DatabaseSync(join(folder, 'limit.db'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE message (body BLOB)',
  );
  const insert = database.prepare('INSERT INTO message VALUES (?)');
  let batch: (readonly [Socket, Buffer])[] = [];
  const commit = (): void => {
    const taken = batch;
    batch = [];
    database.exec('BEGIN');
    for (const [, body] of taken) insert.run(body);
    database.exec('COMMIT');
    for (const [socket] of taken) socket.write('\x0bMSH|^~\\&|\rMSA|AA|1\r\x1c\r');
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    let held = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (let end = held.indexOf(0x1c); end !== -1; end = held.indexOf(0x1c)) {
        if (batch.length === 0) setImmediate(commit);
        batch.push([socket, held.subarray(1, end)]);
        held = held.subarray(end + 2);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}
