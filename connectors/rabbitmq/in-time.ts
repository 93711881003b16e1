import { buildUnavailable } from './failures.ts';

/** Long for one call to a server that is well, and short beside what is held up by one that is not. */
const answerMs = 5_000;

/**
 * The server's answer to one call. Rejects with `broker-unavailable` where it does not come: a quorum queue that has no
 * leader yet, just after its server was killed, can leave a call unanswered for ever, and the client has no bound of
 * its own.
 */
export async function inTime<Result>(call: PromiseLike<Result>, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(buildUnavailable(`${what}: RabbitMQ did not answer within ${answerMs / 1000} s`));
    }, answerMs);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
