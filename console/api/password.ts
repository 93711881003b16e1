import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const cost = { n: 32_768, r: 8, p: 1 } as const;
const hashBytes = 32;

/** The hash to keep: `scrypt$N$r$p$salt$hash`, salt and hash in base64url, the salt random for each user. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return [
    'scrypt',
    cost.n,
    cost.r,
    cost.p,
    salt.toString('base64url'),
    hash.toString('base64url'),
  ].join('$');
}

/**
 * Whether the password belongs to the hash. An unknown user (undefined) costs the same time as a known
 * one, so that the time does not tell which names exist. Throws on a hash that this does not understand.
 */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const { salt, hash, ...costs } = parseHash(stored ?? nobody);
  const found = await derive(password, salt, costs);
  return timingSafeEqual(found, hash) && stored !== undefined;
}

const nobody = ['scrypt', cost.n, cost.r, cost.p, 'A'.repeat(22), 'A'.repeat(43)].join('$');

interface Cost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

function parseHash(stored: string): Cost & { readonly salt: Buffer; readonly hash: Buffer } {
  const [name, n, r, p, salt, hash] = stored.split('$');
  const parsed = {
    n: Number(n),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt ?? '', 'base64url'),
    hash: Buffer.from(hash ?? '', 'base64url'),
  };
  if (name !== 'scrypt' || parsed.hash.length !== hashBytes || parsed.salt.length < 16) {
    throw new Error(
      'Expected a password hash of the form scrypt$N$r$p$salt$hash, found another form; set the password anew.',
    );
  }
  return parsed;
}

function derive(password: string, salt: Buffer, { n, r, p }: Cost): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 256 * n * r };
  return new Promise((resolve, reject) => {
    // One keyboard writes é as one character, another as two: NFC makes them the same password.
    scrypt(password.normalize('NFC'), salt, hashBytes, options, (error, hash) => {
      if (error) reject(error);
      else resolve(hash);
    });
  });
}
