import type { Writable } from 'node:stream';
import type pg from 'pg';

/** Of a pipelined client: statements are written to it as they are asked for. */
interface Connected {
  readonly connection: { readonly stream: Writable };
}

/**
 * Sends the statements that `send` asks of a pipelined client as one piece, and waits for every one, also where one fails:
 * none is left behind. Rejects with what the first that failed rejects with.
 */
export async function sendTogether<const T extends readonly unknown[]>(
  client: pg.Client,
  send: () => T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const { stream } = (client as unknown as Connected).connection;
  stream.cork();
  let sent: T;
  try {
    sent = send();
  } finally {
    stream.uncork();
  }
  const settled = await Promise.allSettled(sent);
  // Of the first that failed the others are but the consequence.
  for (const each of settled) if (each.status === 'rejected') throw each.reason;
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined)) as {
    -readonly [Index in keyof T]: Awaited<T[Index]>;
  };
}
