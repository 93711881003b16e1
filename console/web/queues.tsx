import { Anchor, Group, Table, Text, Title } from '@mantine/core';
import type { InterfaceStatus } from '../api/control.ts';
import type { LiveQueue } from '../api/views.ts';
import { Sparkline } from './sparkline.tsx';
import { toAge } from './time.ts';

/** How much is where, since when, and how fast it moves. */
export function Queues(props: {
  readonly queues: readonly LiveQueue[];
  readonly interfaces: readonly InterfaceStatus[];
  readonly now: number;
}) {
  const { queues, interfaces, now } = props;
  const labels = new Map(interfaces.map(({ id, label }) => [id, label]));
  return (
    <section aria-labelledby="queues">
      <Title order={2} size="h4" id="queues" mb="sm">
        Queues
      </Title>
      {queues.length === 0 ? (
        <Text c="dimmed">
          No queue yet. Queues come with the flows: open the{' '}
          <Anchor href="/editor/" underline="always">
            flow editor
          </Anchor>
          , wire an “mllp in” to a destination, and deploy.
        </Text>
      ) : (
        <Table.ScrollContainer
          minWidth={720}
          type="native"
          tabIndex={0}
          role="group"
          aria-labelledby="queues"
        >
          <Table verticalSpacing={6} highlightOnHover aria-labelledby="queues">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Queue</Table.Th>
                <Table.Th scope="col">Interface</Table.Th>
                <Table.Th scope="col" className="number">
                  Waiting
                </Table.Th>
                <Table.Th scope="col" className="number">
                  In work
                </Table.Th>
                <Table.Th scope="col" className="number">
                  Dead letters
                </Table.Th>
                <Table.Th scope="col" className="number">
                  Oldest
                </Table.Th>
                <Table.Th scope="col" className="number">
                  In / min
                </Table.Th>
                <Table.Th scope="col" className="number">
                  Out / min
                </Table.Th>
                <Table.Th scope="col">In, 10 min</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {queues.map((queue) => (
                <QueueRow
                  key={queue.queue}
                  queue={queue}
                  interfaceLabel={labels.get(queue.interface) ?? queue.interface}
                  now={now}
                />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  );
}

function QueueRow(props: {
  readonly queue: LiveQueue;
  readonly interfaceLabel: string;
  readonly now: number;
}) {
  const { queue, interfaceLabel, now } = props;
  const age = queue.oldestAt === null ? undefined : (now - Date.parse(queue.oldestAt)) / 1000;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        <Group gap={8}>
          {queue.label !== undefined && <Text size="sm">{queue.label}</Text>}
          <Text
            size="sm"
            c={queue.label === undefined ? 'var(--mantine-color-text)' : 'dimmed'}
            className="mono"
          >
            {queue.queue}
          </Text>
        </Group>
      </Table.Th>
      <Table.Td>{interfaceLabel}</Table.Td>
      <Table.Td className="number">{queue.ready}</Table.Td>
      <Table.Td className="number">{queue.unsettled}</Table.Td>
      <Table.Td className={queue.dead > 0 ? 'number bad' : 'number'}>{queue.dead}</Table.Td>
      <Table.Td className={age !== undefined && age >= 60 ? 'number warn nowrap' : 'number nowrap'}>
        {age === undefined ? '–' : toAge(age)}
      </Table.Td>
      <Table.Td className="number">{queue.ratePerMinute.in}</Table.Td>
      <Table.Td className="number">{queue.ratePerMinute.out}</Table.Td>
      <Table.Td>
        <Sparkline values={queue.history.in} />
      </Table.Td>
    </Table.Tr>
  );
}
