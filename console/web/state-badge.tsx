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
  parked: 'Parked',
  withdrawn: 'Withdrawn',
};

const colors: Readonly<Record<MessageState, string>> = {
  received: 'gray.6',
  queued: 'blue.6',
  'in-progress': 'blue.6',
  processed: 'teal.6',
  delivered: 'teal.6',
  retrying: 'orange.6',
  'dead-lettered': 'red.9',
  refused: 'red.6',
  duplicate: 'gray.6',
  parked: 'orange.6',
  withdrawn: 'gray.6',
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
