import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { buildError } from '../core/errors.ts';
import type { FlowNode } from '../core/interface.ts';

/** What nodes keep apart from the flows (passwords, tokens), by node id. */
export type Credentials = Readonly<Record<string, object>>;

/** As Node-RED stores credentials: AES-256-CTR under the secret's SHA-256, the vector in front as hex. */
export interface EncryptedCredentials {
  readonly $: string;
}

const algorithm = 'aes-256-ctr';
const vectorBytes = 16;

const toKey = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export function encryptCredentials(credentials: Credentials, secret: string): EncryptedCredentials {
  const vector = randomBytes(vectorBytes);
  const cipher = createCipheriv(algorithm, toKey(secret), vector);
  const text = JSON.stringify(credentials);
  return {
    $: vector.toString('hex') + cipher.update(text, 'utf8', 'base64') + cipher.final('base64'),
  };
}

/**
 * The credentials out of what Node-RED stores, encrypted or not. Throws HilumError `credentials-unreadable` (permanent)
 * where the secret is another than the one that they were encrypted with.
 */
export function decryptCredentials(stored: object, secret: string): Credentials {
  if (!isEncrypted(stored)) return stored as Credentials;
  const vector = Buffer.from(stored.$.slice(0, 2 * vectorBytes), 'hex');
  const decipher = createDecipheriv(algorithm, toKey(secret), vector);
  const text = stored.$.slice(2 * vectorBytes);
  try {
    return JSON.parse(
      decipher.update(text, 'base64', 'utf8') + decipher.final('utf8'),
    ) as Credentials;
  } catch (error) {
    throw buildError(
      'permanent',
      'credentials-unreadable',
      "The flows' credentials cannot be decrypted: set HILUM_CREDENTIAL_SECRET to the secret that they were stored with, or enter them again in the editor.",
      error,
    );
  }
}

function isEncrypted(stored: object): stored is EncryptedCredentials {
  return '$' in stored && typeof stored.$ === 'string' && Object.keys(stored).length === 1;
}

/** The credentials of these nodes alone. */
export function selectCredentials(
  credentials: Credentials,
  flows: readonly FlowNode[],
): Credentials {
  const ids = new Set(flows.map(({ id }) => id));
  return Object.fromEntries(Object.entries(credentials).filter(([id]) => ids.has(id)));
}
