import path from 'node:path';
import { connectOwner } from '../../../connectors/sqlite/client.ts';
import { openOwner } from '../../../connectors/sqlite/owner.ts';
import { HilumError } from '../../../core/errors.ts';
import { buildMessage, silent } from '../../runtime/owner.ts';
import { makeTempFolder } from '../../support/temp.ts';

it('tells why nothing can be written and, without being asked, that it can again', async () => {
  const folder = makeTempFolder('storage');
  const socket = path.join(folder, 'owner.sock');
  const told: (string | undefined)[] = [];
  const full = Promise.withResolvers<undefined>();
  const writable = Promise.withResolvers<undefined>();
  const owner = await openOwner({
    file: path.join(folder, 'hilum.db'),
    socket,
    logger: silent,
    maxFileBytes: 1024 * 1024,
    onStorage: (reason) => {
      told.push(reason);
      (reason === undefined ? writable : full).resolve(undefined);
    },
  });
  const client = await connectOwner({ socket, logger: silent });
  await client.broker.declare({ name: 'in.lab', interface: 'lab' });
  const publish = () =>
    client.broker.publish('in.lab', buildMessage('C1', { body: Buffer.alloc(64 * 1024) }));
  await expect(
    (async () => {
      for (let each = 0; each < 100; each += 1) await publish();
    })(),
  ).rejects.toThrow(HilumError);
  await full.promise;
  // Not one line a refused message: the state is told, and what was refused hears of it itself.
  await expect(publish()).rejects.toThrow(HilumError);
  await writable.promise;
  expect(told).toEqual([expect.stringContaining('Free space on the disk'), undefined]);
  await client.close();
  await owner.close();
});
