import type { Envelope } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import { maxBodyBytes } from './frames.ts';

/** Throws HilumError `message-too-large` (permanent) where the body does not pass to the owner in one piece. */
export function assertBodySize({ body }: Envelope): void {
  if (body.length <= maxBodyBytes) return;
  throw buildError(
    'permanent',
    'message-too-large',
    `A body of at most ${maxBodyBytes} bytes was expected: this one has ${body.length}. ` +
      'Refuse such messages where they come in (maxFrameBytes of the listener).',
  );
}
