import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { UnmappedDecision, UnmappedView } from '../api/unmapped.ts';
import { post } from './api.ts';

/** Under which what the API lists is kept. */
export const unmappedKey = ['unmapped'];

/** What somebody is about to decide. */
export interface Asked {
  readonly item: UnmappedView;
  readonly decision: UnmappedDecision;
}

/** What it is called on the page: what does not look like a code is not served. */
export const nameOf = ({ code }: UnmappedView): string => code ?? 'a text';

/** What each decision is called, and what it does. */
export const words = {
  again: {
    button: 'Try again',
    title: 'Try these messages again?',
    text: 'They go through their flow as it is deployed now. Those whose code is still unmapped are held again.',
  },
  skip: {
    button: 'Give up',
    title: 'Give these messages up?',
    text: 'They become dead letters, and those behind them go on without them.',
  },
} as const;

/** Asks whether that is meant, and says what came of it. */
export function Decide({ item, decision, onClose }: Asked & { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: () => post(`/api/mapping/unmapped/${item.id}/${decision}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: unmappedKey });
      onClose();
    },
  });
  const { title, text, button } = words[decision];
  const count = `${item.messages} message${item.messages === 1 ? '' : 's'}`;
  return (
    <Modal.Root opened onClose={onClose} centered transitionProps={{ duration: 100 }}>
      <Modal.Overlay />
      <Modal.Content p="md">
        <Modal.Title mb="sm">{title}</Modal.Title>
        <Stack gap="sm">
          <Text size="sm">
            {count} of table <span className="mono">{item.table}</span>, waiting for{' '}
            <span className="mono">{nameOf(item)}</span>. {text}
          </Text>
          {decide.error && (
            <Text size="sm" role="alert" className="bad">
              {decide.error.message}
            </Text>
          )}
          <Group justify="end">
            <Button variant="default" onClick={onClose} data-autofocus>
              Cancel
            </Button>
            <Button loading={decide.isPending} onClick={() => decide.mutate()}>
              {button}
            </Button>
          </Group>
        </Stack>
      </Modal.Content>
    </Modal.Root>
  );
}
