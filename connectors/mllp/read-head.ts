import type { Socket } from 'node:net';

/** What a parser makes of the first bytes of a connection. */
export type Head<T> =
  | { readonly value: T; /** Bytes that belong to it. */ readonly length: number }
  /** So many bytes are needed before it is worth looking again. */
  | { readonly atLeast: number };

export type HeadResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: 'closed' | 'timed out'; readonly bytes: number };

/**
 * Reads the start of a connection until `parse` knows what it is; everything after it is left to be read
 * by whoever takes the socket over.
 */
export function readHead<T>(
  socket: Socket,
  { timeoutMs, parse }: { readonly timeoutMs: number; readonly parse: (bytes: Buffer) => Head<T> },
): Promise<HeadResult<T>> {
  const { promise, resolve } = Promise.withResolvers<HeadResult<T>>();
  let chunks: Buffer[] = [];
  let bytes = 0;
  let needed = 1;
  const finish = (result: HeadResult<T>) => {
    clearTimeout(patience);
    socket.off('readable', read).off('end', close).off('close', close);
    resolve(result);
  };
  const close = () => finish({ ok: false, reason: 'closed', bytes });
  const patience = setTimeout(() => finish({ ok: false, reason: 'timed out', bytes }), timeoutMs);
  patience.unref();

  function read(): void {
    for (let chunk = takeChunk(socket); chunk !== null; chunk = takeChunk(socket)) {
      chunks.push(chunk);
      bytes += chunk.length;
    }
    if (bytes < needed) return;
    const all = Buffer.concat(chunks, bytes);
    chunks = [all];
    const head = parse(all);
    if ('atLeast' in head) {
      needed = head.atLeast;
      return;
    }
    if (head.length < bytes) socket.unshift(all.subarray(head.length));
    finish({ ok: true, value: head.value });
  }

  socket.on('readable', read).on('end', close).on('close', close);
  return promise;
}

function takeChunk(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
