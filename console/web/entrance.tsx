import { Alert, Container, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The frame of the pages before the console: sign in and setup. */
export function Entrance(props: {
  readonly title: string;
  readonly intro: ReactNode;
  readonly error: Error | null;
  readonly children: ReactNode;
}) {
  return (
    <Container component="main" size={420} py={80}>
      <Group gap="sm" mb="lg" justify="center">
        <img src="/favicon.svg" alt="" width={36} height={36} />
        <Text fw={700} size="xl">
          Hilum
        </Text>
      </Group>
      <Paper withBorder p="xl" radius="md">
        <Stack gap="md">
          <Title order={1} size="h3">
            {props.title}
          </Title>
          <Text size="sm" c="dimmed">
            {props.intro}
          </Text>
          <div role="alert">
            {props.error && (
              <Alert color="red" variant="outline" title={props.error.message} radius="sm" />
            )}
          </div>
          {props.children}
        </Stack>
      </Paper>
    </Container>
  );
}
