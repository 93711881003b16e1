import { Anchor, Button, Container, Group, Text, useMantineColorScheme } from '@mantine/core';
import { useComputedColorScheme } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { post } from './api.ts';
import type { LiveState } from './use-live.ts';

const words = {
  connecting: 'connecting…',
  live: 'live',
  reconnecting: 'reconnecting…',
} as const;

/** Product, editor, whether the data is live, theme, sign out. */
export function Header({ live }: { readonly live: LiveState }) {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const signOut = useMutation({
    mutationFn: () => post('/logout'),
    onSuccess: () => window.location.replace('/login'),
  });
  const status = live.snapshot?.status;
  return (
    <header className="header">
      <Container size="xl" py="xs">
        <Group justify="space-between" gap="sm">
          <Group gap="lg">
            <Group gap="xs" wrap="nowrap">
              <img src="/favicon.svg" alt="" width={26} height={26} />
              <Text component="h1" fw={700} size="lg" m={0}>
                Hilum
              </Text>
              {status && (
                <Text size="xs" c="dimmed">
                  {status.version}
                  {status.broker === undefined ? '' : `, ${status.broker} broker`}
                </Text>
              )}
            </Group>
            <nav aria-label="Main">
              <Anchor href="/editor/" size="sm">
                Flow editor
              </Anchor>
            </nav>
          </Group>
          <Group gap="sm">
            <Text
              size="sm"
              role="status"
              className={live.connection === 'live' ? 'good' : 'warn'}
              data-connection={live.connection}
            >
              <span className="dot" aria-hidden="true" />
              {words[live.connection]}
            </Text>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}
            >
              {scheme === 'dark' ? 'Light' : 'Dark'}
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              loading={signOut.isPending}
              onClick={() => signOut.mutate()}
            >
              Sign out
            </Button>
          </Group>
        </Group>
      </Container>
    </header>
  );
}
