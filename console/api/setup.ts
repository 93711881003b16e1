import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * The one-time token that makes the first administrator: random, 256 bits, kept as a hash in memory only,
 * so that a new start gives out a new one and the old one is void.
 */
export class SetupToken {
  #hash: Buffer | undefined;

  /** A new token; the one before it is void. */
  issue(): string {
    const token = randomBytes(32).toString('base64url');
    this.#hash = toHash(token);
    return token;
  }

  /** Whether this is the token; it stays valid. */
  isValid(token: string): boolean {
    return this.#hash !== undefined && timingSafeEqual(this.#hash, toHash(token));
  }

  /** Whether this was the token; from now on it is void. Of two at the same moment one gets it. */
  redeem(token: string): boolean {
    const valid = this.isValid(token);
    if (valid) this.#hash = undefined;
    return valid;
  }

  /** The token that was redeemed is valid again: what it was used for failed. */
  restore(token: string): void {
    this.#hash = toHash(token);
  }
}

function toHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
