import { request } from 'node:http';

/** What the running engine answered: the parsed JSON and its status. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type Method = 'GET' | 'POST' | 'DELETE';

/**
 * Asks the running engine over its local socket, which only the user that runs it may open. Rejects with
 * words for people where no engine answers there.
 */
export function askEngine(
  socket: string,
  question: { readonly method: Method; readonly path: string; readonly body?: object },
): Promise<ControlAnswer> {
  const { method, path, body } = question;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = text === undefined ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request(
      { socketPath: socket, method, path, headers, timeout: 300_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          try {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
          } catch (error) {
            reject(new Error('The engine answered something that is not JSON.', { cause: error }));
          }
        });
      },
    );
    asking.on('timeout', () =>
      asking.destroy(new Error('The engine did not answer in 5 minutes.')),
    );
    asking.on('error', (error: NodeJS.ErrnoException) => {
      const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      reject(
        absent
          ? new Error(
              `Hilum is not running on this data folder (no answer at ${socket}). Start it with npm start, or set HILUM_DATA to its folder.`,
              { cause: error },
            )
          : error,
      );
    });
    asking.end(text);
  });
}
