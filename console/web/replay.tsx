import { Anchor, Button, Group, Modal, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { MessageView } from '../api/views.ts';
import { post } from './api.ts';

/** Sends the message again, after asking whether that is meant. */
export function Replay(props: {
  readonly message: MessageView;
  readonly onOpen: (id: string) => void;
}) {
  const { message, onOpen } = props;
  const [isAsking, setAsking] = useState(false);
  const queries = useQueryClient();
  const replay = useMutation({
    mutationFn: async () =>
      (await post(`/api/messages/${encodeURIComponent(message.id)}/replay`)) as { id: string },
    onSettled: () => setAsking(false),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['trace', message.id] }),
  });
  const name = message.controlId ?? message.id;
  return (
    <div>
      <Group gap="sm">
        <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
          Replay…
        </Button>
        <Text size="sm" role="status">
          {replay.error && <span className="bad">Not replayed: {replay.error.message}</span>}
          {replay.data && (
            <>
              Replayed.{' '}
              <Anchor component="button" type="button" onClick={() => onOpen(replay.data.id)}>
                Show the new message
              </Anchor>
            </>
          )}
        </Text>
      </Group>
      <Modal.Root
        opened={isAsking}
        onClose={() => setAsking(false)}
        centered
        transitionProps={{ duration: 100 }}
      >
        <Modal.Overlay />
        <Modal.Content p="md">
          <Modal.Title mb="sm">Replay this message?</Modal.Title>
          <Text size="sm" mb="md">
            <span className="mono">{name}</span> goes through its flow once more, as a new message,
            and everything behind the flow receives it again. What happened to the first one stays
            as it is.
          </Text>
          <Group justify="end">
            <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
              Cancel
            </Button>
            <Button loading={replay.isPending} onClick={() => replay.mutate()}>
              Replay
            </Button>
          </Group>
        </Modal.Content>
      </Modal.Root>
    </div>
  );
}
