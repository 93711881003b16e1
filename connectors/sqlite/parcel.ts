import { Refusal } from './database.ts';
import type { Parcel } from './protocol.ts';

/** Refuses what could not be written to the tables later, when it is confirmed already. */
export function checkParcel([id, attempt, header, body]: Parcel): void {
  const isSound =
    typeof id === 'string' &&
    Number.isSafeInteger(attempt) &&
    typeof header === 'string' &&
    body instanceof Uint8Array;
  if (isSound) return;
  throw new Refusal({
    errorClass: 'permanent',
    code: 'request-invalid',
    message:
      'An envelope with an id, a whole number as its attempt, and bytes was expected: one of them is absent or of another type.',
  });
}
