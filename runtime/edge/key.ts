import { createHash } from 'node:crypto';
import { readKey } from '../../core/hl7v2/header.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';

/** A header of RabbitMQ and an index of the ledger hold the key: a path may lead to a whole document. */
const maxKeyLength = 200;

/**
 * The envelope's key: the value at the first of these paths that has one (absent: PID-3.1), and of a very long one
 * its SHA-256. Undefined where none has a value.
 */
export function findKey(
  message: Hl7Message,
  { keyPaths }: { readonly keyPaths?: readonly string[] },
): string | undefined {
  const key = readKey(message, keyPaths);
  if (key === undefined || key.length <= maxKeyLength) return key;
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
