import { openOwner } from '../../../connectors/sqlite/owner.ts';

/** An owner in a process of its own, as in production: `node owner-process.ts FILE SOCKET [MAX_FILE_BYTES]`. */
const [, , file = '', socket = '', maxFileBytes] = process.argv;
const quiet = (): void => undefined;
const report = (_: object, message: string): void => void process.stderr.write(`${message}\n`);
const owner = await openOwner({
  file,
  socket,
  logger: { debug: quiet, info: quiet, warn: report, error: report },
  ...(maxFileBytes === undefined ? {} : { maxFileBytes: Number(maxFileBytes) }),
});
process.once('disconnect', () => void owner.close());
process.send?.('open');
