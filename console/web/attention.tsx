import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { findFindings, type Finding } from './findings.ts';
import type { UnmappedView } from '../api/unmapped.ts';
import { useAddress } from './use-address.ts';
import type { Snapshot } from './use-live.ts';

const looks: Readonly<
  Record<
    Finding['severity'],
    { readonly color: string; readonly name: string; readonly word: string }
  >
> = {
  alarm: { color: 'red', name: 'bad', word: 'Alarm: ' },
  error: { color: 'red', name: 'bad', word: 'Error: ' },
  warning: { color: 'orange', name: 'warn', word: 'Waiting: ' },
};

/** What needs a person, first on the page; one line where nothing does. */
export function Attention({
  snapshot,
  unmapped,
  now,
}: {
  readonly snapshot: Snapshot;
  readonly unmapped: readonly UnmappedView[];
  readonly now: number;
}) {
  const [, setState] = useAddress('state');
  const findings = findFindings({ ...snapshot, unmapped, now });
  return (
    <section aria-labelledby="attention">
      <Title order={2} size="h4" id="attention" mb="sm">
        Needs attention
      </Title>
      <div role="status">
        {findings.length === 0 && (
          <Text className="good">
            <span className="dot" aria-hidden="true" />
            Nothing. No alarm stands, no queue is stuck, nothing was given up
            {snapshot.status.ready ? '.' : '; the engine is still starting.'}
          </Text>
        )}
        <Stack gap="xs">
          {findings.map(({ key, severity, text, state }) => (
            <Alert key={key} color={looks[severity].color} variant="outline" radius="sm" p="xs">
              <Group justify="space-between" gap="xs">
                <Text size="sm">
                  <span className={looks[severity].name}>{looks[severity].word}</span>
                  {text}
                </Text>
                {state !== undefined && (
                  <Button
                    size="compact-xs"
                    variant="default"
                    onClick={() => {
                      setState(state);
                      document.getElementById('messages')?.focus();
                    }}
                  >
                    Show them
                  </Button>
                )}
              </Group>
            </Alert>
          ))}
        </Stack>
      </div>
    </section>
  );
}
