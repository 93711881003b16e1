import { readFile } from 'node:fs/promises';

/** Where to post to, and what proves who posts. */
export interface WebhookAddress {
  /** `http:` or `https:`; its path and query may be a secret. */
  readonly url: string;
  /** Goes out as `Authorization: Bearer …`. */
  readonly token?: string;
  /** A file whose first line is the token; read anew for every post, so that it can be exchanged. */
  readonly tokenFile?: string;
}

/**
 * What came of one post: `away`: it may be taken later (no connection, no answer in time, 401, 403, 404, 407, 408, 429,
 * 5xx, a redirection, which is not followed); `refused`: it never will be. The words name no secret.
 */
export interface PostOutcome {
  readonly kind: 'taken' | 'away' | 'refused';
  readonly message: string;
}

/** What somebody may put right at the receiver or in the address while the notification waits. */
const mendable: ReadonlySet<number> = new Set([401, 403, 404, 407, 408, 425, 429]);

/** Posts a value as `application/json`; never rejects. The answer's body is not read. */
export async function postJson(
  address: WebhookAddress,
  value: object,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<PostOutcome> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const token = await readToken(address);
    const response = await fetch(address.url, {
      method: 'POST',
      body: JSON.stringify(value),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'hilum',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      // A token must not go where a redirection says.
      redirect: 'manual',
      signal: AbortSignal.any([signal, late]),
    });
    await response.body?.cancel();
    return toOutcome(response.status);
  } catch (error) {
    const reason = late.aborted ? `no answer within ${timeoutMs / 1000} s` : toReason(error);
    return { kind: 'away', message: `It was not reached: ${reason}.` };
  }
}

/** Scheme, host and port: what a log may say of the address. */
export function toPlace(url: string): string {
  return new URL(url).origin;
}

async function readToken({ token, tokenFile }: WebhookAddress): Promise<string | undefined> {
  if (tokenFile === undefined) return token;
  const [first = ''] = (await readFile(tokenFile, 'utf8')).split('\n');
  return first.trim();
}

function toOutcome(status: number): PostOutcome {
  const message = `It answered ${status}.`;
  if (status >= 200 && status < 300) return { kind: 'taken', message };
  if (status === 401 || status === 403) {
    return { kind: 'away', message: `${message} Check the token (HILUM_ALARM_TOKEN_FILE).` };
  }
  if (status === 404) return { kind: 'away', message: `${message} Check HILUM_ALARM_URL.` };
  if (status >= 300 && status < 400) {
    return { kind: 'away', message: `${message} Set HILUM_ALARM_URL to where it points.` };
  }
  return { kind: status >= 500 || mendable.has(status) ? 'away' : 'refused', message };
}

/** Codes alone: the words of an error may quote the address or the token. */
function toReason(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const { code, syscall, path } = (cause ?? error) as NodeJS.ErrnoException;
  if (syscall === 'open' || syscall === 'read')
    return `the token file ${path ?? ''} (${code ?? ''})`;
  if (code === undefined) return 'the request failed; check HILUM_ALARM_URL and the token';
  return code;
}
