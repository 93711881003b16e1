import { Anchor, Group, Table, Text, Title } from '@mantine/core';
import type { InterfaceStatus } from '../api/control.ts';
import type { LiveQueue } from '../api/views.ts';
import { Sparkline } from './sparkline.tsx';
import { toAge } from './time.ts';
import { WideTable, type Column } from './wide-table.tsx';

const columns: readonly Column[] = [
  'Queue',
  'Interface',
  { number: 'Waiting' },
  { number: 'In work' },
  { number: 'Dead letters' },
  { number: 'Oldest' },
  { number: 'In / min' },
  { number: 'Out / min' },
  'In, 10 min',
];

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
        <WideTable labelledBy="queues" columns={columns}>
          {queues.map((queue) => (
            <QueueRow
              key={queue.queue}
              queue={queue}
              interfaceLabel={labels.get(queue.interface) ?? queue.interface}
              now={now}
            />
          ))}
        </WideTable>
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
