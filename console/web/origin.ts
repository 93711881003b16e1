import type { MessageView } from '../api/views.ts';

/** Whether it came of another message inside Hilum. What a partner sent once more follows from the first too, and was received. */
export function isMadeInside({ causationId, state }: MessageView): boolean {
  return causationId !== undefined && state !== 'duplicate';
}
