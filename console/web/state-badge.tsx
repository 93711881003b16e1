import { Badge } from '@mantine/core';
import type { MessageState } from '../../core/ports/ledger.ts';

/** Every state with its word for people; the colour only repeats what the word says. */
export const stateWords: Readonly<Record<MessageState, string>> = {
  received: 'Received',
  queued: 'Waiting',
  'in-progress': 'In work',
  processed: 'Processed',
  delivered: 'Delivered',
  retrying: 'Retrying',
  'dead-lettered': 'Dead letter',
  refused: 'Refused',
  duplicate: 'Duplicate',
};

const colors: Readonly<Record<MessageState, string>> = {
  received: 'gray',
  queued: 'blue',
  'in-progress': 'blue',
  processed: 'teal',
  delivered: 'teal',
  retrying: 'orange',
  'dead-lettered': 'red',
  refused: 'red',
  duplicate: 'gray',
};

/** Where a message stands. */
export function StateBadge({ state }: { readonly state: MessageState }) {
  const filled = state === 'dead-lettered';
  return (
    <Badge
      className={filled ? undefined : 'state'}
      color={colors[state]}
      variant={filled ? 'filled' : 'dot'}
    >
      {stateWords[state]}
    </Badge>
  );
}
