import { HilumError } from '../../core/errors.ts';
import type { Random } from './random.ts';

/** What is done with every input; it throws where a law is broken. */
export type Target = (bytes: Buffer, random: Random) => void;

export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Expected ${what}.`);
}

export function expectSame(found: Uint8Array, wanted: Uint8Array): void {
  expectThat(Buffer.from(found).equals(wanted), 'the same bytes');
}

/** What is done may be refused with a HilumError; undefined then. */
export function tryTo<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof HilumError) return undefined;
    throw error;
  }
}
