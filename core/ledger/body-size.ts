import type { Envelope } from '../envelope.ts';
import { buildError } from '../errors.ts';

/** What every ledger takes: a body may go from one to another. */
export const maxBodyBytes = 64 * 1024 * 1024;

/** Throws HilumError `message-too-large` (permanent) where no ledger takes the body. */
export function assertBodySize({ body }: Envelope): void {
  if (body.length <= maxBodyBytes) return;
  throw buildError(
    'permanent',
    'message-too-large',
    `A body of at most ${maxBodyBytes} bytes was expected: this one has ${body.length}. ` +
      'Refuse such messages where they come in (maxFrameBytes of the listener).',
  );
}
