import { Alert, Drawer, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { TraceView } from '../api/views.ts';
import { get } from './api.ts';
import { MessageTable } from './message-table.tsx';
import { isMadeInside } from './origin.ts';
import { Replay } from './replay.tsx';
import { StateBadge } from './state-badge.tsx';
import { Steps } from './steps.tsx';
import { toDateTime, toSize, zone } from './time.ts';

/** What happened to one message and to all that came of it. */
export function TraceDrawer(props: {
  readonly id: string | undefined;
  readonly now: number;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}) {
  const { id, onClose } = props;
  return (
    <Drawer.Root
      opened={id !== undefined}
      onClose={onClose}
      position="right"
      size="xl"
      transitionProps={{ duration: 100 }}
    >
      <Drawer.Overlay />
      <Drawer.Content>
        {/* Not Drawer.Header: a second banner landmark would compete with the page's own. */}
        <Group justify="space-between" p="md">
          <Drawer.Title>One message, step by step</Drawer.Title>
          <Drawer.CloseButton aria-label="Close" />
        </Group>
        <Drawer.Body>{id !== undefined && <TraceBody {...props} id={id} />}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function TraceBody(props: {
  readonly id: string;
  readonly now: number;
  readonly onOpen: (id: string) => void;
}) {
  const { id, now, onOpen } = props;
  const { data, error } = useQuery({
    queryKey: ['trace', id],
    queryFn: async () => (await get(`/api/messages/${encodeURIComponent(id)}`)) as TraceView,
    refetchInterval: 2000,
  });
  if (data === undefined) {
    return error ? (
      <Alert color="red" variant="outline" role="alert" title="Not shown">
        {error.message}
      </Alert>
    ) : (
      <Text c="dimmed" role="status">
        <Loader size="xs" mr="sm" /> Looking it up…
      </Text>
    );
  }
  const message = data.messages.find((each) => each.id === data.id);
  const related = data.messages.filter((each) => each.id !== data.id);
  return (
    <Stack gap="lg">
      {message && (
        <div>
          <Group gap="sm" mb={4}>
            <Title order={2} size="h4" className="mono">
              {message.controlId ?? message.messageType ?? message.contentType}
            </Title>
            <StateBadge state={message.state} />
          </Group>
          <Text size="sm">
            {message.messageType ?? message.contentType}, {toSize(message.bytes)},{' '}
            {message.interfaceLabel ?? message.interface}
          </Text>
          <Text size="sm">
            {isMadeInside(message) ? 'Made by a flow' : 'Received'} {toDateTime(message.receivedAt)}{' '}
            ({zone})
          </Text>
          <Text size="sm" c="dimmed" className="mono">
            {message.id}
          </Text>
        </div>
      )}
      {message && <Replay key={message.id} message={message} onOpen={onOpen} />}
      <Steps trace={data} />
      {related.length > 0 && (
        <section aria-labelledby="related">
          <Title order={3} size="h5" id="related" mb="xs">
            Related messages
          </Title>
          <MessageTable messages={related} now={now} onOpen={onOpen} labelledBy="related" />
        </section>
      )}
    </Stack>
  );
}
