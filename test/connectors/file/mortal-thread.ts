/*
 * A thread as the one that validates: it ends, hangs or answers as the resource says; `once:FILE` ends it while there is no such file.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

parentPort?.postMessage({ kind: 'ready' });
parentPort?.on('message', ({ resource }: { readonly resource: string }) => {
  if (resource === 'end') process.exit(1);
  const [, mark] = resource.split(':');
  if (mark !== undefined && !existsSync(mark)) {
    writeFileSync(mark, '');
    process.exit(1);
  }
  while (resource === 'hang') Math.random();
  parentPort?.postMessage({ kind: 'checked', issues: [{ message: resource }] });
});
