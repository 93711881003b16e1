import { createHash, randomBytes } from 'node:crypto';

/** A signed-in browser. */
interface Session {
  readonly username: string;
}

interface SessionOptions {
  readonly clock: () => number;
  /** Ends a session that was not used for this long. */
  readonly idleMs: number;
  /** Ends every session after this long, used or not. */
  readonly absoluteMs: number;
}

interface Entry extends Session {
  readonly startedAt: number;
  usedAt: number;
  readonly closers: Set<() => void>;
}

/**
 * Who is signed in, in memory: a restart signs everybody out. A session is found by a random 256-bit id;
 * only its hash is kept, so the ids cannot be read out of the memory or guessed by timing. Everything that
 * stays open beyond one request (a websocket) is bound to its session and closed with it.
 */
export class Sessions {
  readonly #entries = new Map<string, Entry>();
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** A new session; its id goes into the cookie and nowhere else. */
  start(username: string): string {
    this.sweep();
    const id = randomBytes(32).toString('base64url');
    const now = this.#options.clock();
    this.#entries.set(toKey(id), { username, startedAt: now, usedAt: now, closers: new Set() });
    return id;
  }

  /** The session, used now; undefined when it is unknown or over. */
  use(id: string | undefined): Session | undefined {
    const entry = this.#find(id);
    if (entry !== undefined) entry.usedAt = this.#options.clock();
    return entry;
  }

  /** The session without counting as use: what runs by itself must not keep it alive. */
  peek(id: string | undefined): Session | undefined {
    return this.#find(id);
  }

  /** Calls `close` when the session ends; the returned function lets go of it. */
  bind(id: string | undefined, close: () => void): () => void {
    const entry = this.#find(id);
    entry?.closers.add(close);
    return () => entry?.closers.delete(close);
  }

  /** Ends the session and closes what is bound to it. */
  end(id: string | undefined): void {
    if (id !== undefined) this.#end(toKey(id));
  }

  /** Ends what is over. */
  sweep(): void {
    for (const [key, entry] of this.#entries) if (this.#isOver(entry)) this.#end(key);
  }

  /** Ends all. */
  clear(): void {
    for (const key of this.#entries.keys()) this.#end(key);
  }

  #find(id: string | undefined): Entry | undefined {
    if (id === undefined) return undefined;
    const key = toKey(id);
    const entry = this.#entries.get(key);
    if (entry === undefined || !this.#isOver(entry)) return entry;
    this.#end(key);
    return undefined;
  }

  #isOver(entry: Entry): boolean {
    const now = this.#options.clock();
    return (
      now - entry.usedAt > this.#options.idleMs || now - entry.startedAt > this.#options.absoluteMs
    );
  }

  #end(key: string): void {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    for (const close of entry?.closers ?? []) close();
  }
}

const cookieName = 'hilum_sid';

/** The session id in a `Cookie` header. */
export function findSessionId(cookieHeader: unknown): string | undefined {
  if (typeof cookieHeader !== 'string') return undefined;
  return /(?:^|;\s*)hilum_sid=([\w-]{43})(?:;|$)/.exec(cookieHeader)?.[1];
}

/** The `Set-Cookie` header that starts a session, or ends it where there is no id. */
export function buildCookie(id: string | undefined, options: { readonly secure: boolean }): string {
  const parts = [`${cookieName}=${id ?? ''}`, 'Path=/', 'HttpOnly', 'SameSite=Lax'];
  if (options.secure) parts.push('Secure');
  if (id === undefined) parts.push('Max-Age=0');
  return parts.join('; ');
}

function toKey(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
