import { Table, Text, Title } from '@mantine/core';
import type { ProcessStatus } from '../api/control.ts';
import { toAge } from './time.ts';
import { WideTable, type Column } from './wide-table.tsx';

/** From here on a message waits for its flow's event loop for longer than anybody likes. */
const lateMs = 200;
/** This share of what a process may hold is worth a look. */
const fullShare = 0.9;

const columns: readonly Column[] = [
  'Process',
  'State',
  { number: 'For' },
  { number: 'Memory' },
  { number: 'Event loop p99' },
  { number: 'Busy' },
  { number: 'Restarts' },
  'Last end',
];

/** What runs: memory, how late the event loop is, and why a process ended the last time. */
export function Processes(props: {
  readonly processes: readonly ProcessStatus[];
  readonly now: number;
}) {
  return (
    <section aria-labelledby="processes">
      <Title order={2} size="h4" id="processes" mb="sm">
        Processes
      </Title>
      <WideTable labelledBy="processes" columns={columns}>
        {props.processes.map((process) => (
          <ProcessRow key={process.role} process={process} now={props.now} />
        ))}
      </WideTable>
    </section>
  );
}

function ProcessRow({ process, now }: { readonly process: ProcessStatus; readonly now: number }) {
  const { role, state, since, memoryMiB, memoryBoundMiB, eventLoop, restarts, lastEnd } = process;
  const isFull =
    memoryMiB !== undefined &&
    memoryBoundMiB !== undefined &&
    memoryMiB > fullShare * memoryBoundMiB;
  const isLate = eventLoop !== undefined && eventLoop.p99Ms > lateMs;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        {role}
      </Table.Th>
      <Table.Td className={state === 'running' ? 'good' : state === 'starting' ? 'warn' : 'bad'}>
        {state}
      </Table.Td>
      <Table.Td className="number nowrap">
        {since === undefined ? '–' : toAge((now - Date.parse(since)) / 1000)}
      </Table.Td>
      <Table.Td className={isFull ? 'number nowrap warn' : 'number nowrap'}>
        {memoryMiB === undefined ? '–' : `${memoryMiB} MiB`}
        {memoryBoundMiB !== undefined && (
          <Text span size="xs" c="dimmed">
            {` of ${memoryBoundMiB}`}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={isLate ? 'number nowrap warn' : 'number nowrap'}>
        {eventLoop === undefined ? '–' : `${eventLoop.p99Ms} ms`}
      </Table.Td>
      <Table.Td className="number nowrap">
        {eventLoop === undefined ? '–' : `${Math.round(eventLoop.utilization * 100)} %`}
      </Table.Td>
      <Table.Td className="number">{restarts ?? '–'}</Table.Td>
      <Table.Td>
        {lastEnd === undefined
          ? '–'
          : `${lastEnd.reason}, ${toAge((now - Date.parse(lastEnd.at)) / 1000)} ago`}
      </Table.Td>
    </Table.Tr>
  );
}
