import { Alert, Container, Loader, Stack, Text } from '@mantine/core';
import { Attention } from './attention.tsx';
import { Header } from './header.tsx';
import { Messages } from './messages.tsx';
import { Processes } from './processes.tsx';
import { Queues } from './queues.tsx';
import { TraceDrawer } from './trace-drawer.tsx';
import { Unmapped, useUnmapped } from './unmapped.tsx';
import { useAddress } from './use-address.ts';
import { useLive } from './use-live.ts';
import { useNow } from './use-now.ts';

/** What is stuck, since when and why; the codes that messages wait for; then the queues, the last messages, and the steps of one. */
export function ConsolePage() {
  const live = useLive();
  const now = useNow(live.clockOffsetMs);
  const [opened, open] = useAddress('message');
  const { snapshot } = live;
  const unmapped = useUnmapped();

  return (
    <>
      <a className="skip" href="#messages">
        Skip to the messages
      </a>
      <Header live={live} />
      <Container component="main" size="xl" py="lg">
        <Stack gap="xl">
          {live.fault !== undefined && (
            <Alert
              color="red"
              variant="outline"
              title="Ledger or broker do not answer"
              role="alert"
            >
              {live.fault} What is shown below is from before.
            </Alert>
          )}
          {snapshot === undefined ? (
            <Text c="dimmed" role="status">
              <Loader size="xs" mr="sm" /> Waiting for the first data…
            </Text>
          ) : (
            <>
              <Attention snapshot={snapshot} unmapped={unmapped.items} now={now} />
              <Unmapped known={unmapped} now={now} onOpen={open} />
              <Queues queues={snapshot.queues} interfaces={snapshot.status.interfaces} now={now} />
              <Messages snapshot={snapshot} now={now} onOpen={open} />
              <Processes processes={snapshot.status.processes} now={now} />
            </>
          )}
        </Stack>
      </Container>
      <TraceDrawer id={opened} now={now} onOpen={open} onClose={() => open(undefined)} />
    </>
  );
}
