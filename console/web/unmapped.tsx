import { Anchor, Button, Code, Group, Modal, Stack, Table, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { UnmappedDecision, UnmappedView } from '../api/unmapped.ts';
import { get, post } from './api.ts';
import { toDateTime, toShortTime } from './time.ts';
import { WideTable, type Column } from './wide-table.tsx';

const key = ['unmapped'];

/** The codes for which messages are held, asked for now and then. */
export function useUnmapped(): readonly UnmappedView[] {
  const { data = [] } = useQuery({
    queryKey: key,
    queryFn: async () => (await get('/api/mapping/unmapped')) as UnmappedView[],
    refetchInterval: 5000,
  });
  return data;
}

const columns: readonly Column[] = [
  'Code',
  'Interface, rule',
  'Add to',
  { number: 'Waiting' },
  'Since, last',
  'Messages',
  'Without mapping it',
];

/** The codes that no table has and for which messages are held; nothing at all where there is none. */
export function Unmapped(props: {
  readonly items: readonly UnmappedView[];
  readonly now: number;
  readonly onOpen: (id: string) => void;
}) {
  const { items, now, onOpen } = props;
  const [asked, ask] = useState<Asked>();
  if (items.length === 0 && asked === undefined) return null;
  return (
    <section aria-labelledby="unmapped">
      <Title order={2} size="h4" id="unmapped" mb={4}>
        Unmapped codes
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        Messages wait for these codes. Add each to its table and deploy: the messages go on by
        themselves, in the order of their key.
      </Text>
      <WideTable labelledBy="unmapped" columns={columns} highlightOnHover={false}>
        {items.map((item) => (
          <UnmappedRow key={item.id} item={item} now={now} onOpen={onOpen} onAsk={ask} />
        ))}
      </WideTable>
      {asked !== undefined && (
        <Decide key={asked.item.id} {...asked} onClose={() => ask(undefined)} />
      )}
    </section>
  );
}

interface Asked {
  readonly item: UnmappedView;
  readonly decision: UnmappedDecision;
}

/** What it is called on the page: what does not look like a code is not served. */
const nameOf = ({ code }: UnmappedView): string => code ?? 'a text';

function UnmappedRow(props: {
  readonly item: UnmappedView;
  readonly now: number;
  readonly onOpen: (id: string) => void;
  readonly onAsk: (asked: Asked) => void;
}) {
  const { item, now, onOpen, onAsk } = props;
  const { interfaceLabel, rules, sources, table, system, display, messages } = item;
  const { waiting = messages } = item;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        {item.code === undefined ? (
          <Text size="sm">
            A text, not shown: <Code>hilum mapping unmapped</Code> names it
          </Text>
        ) : (
          <Text size="sm" className="mono">
            {item.code}
          </Text>
        )}
        {display !== undefined && <Text size="sm">{display}</Text>}
        {system !== undefined && (
          <Text size="xs" c="dimmed" className="mono">
            {system}
          </Text>
        )}
      </Table.Th>
      <Table.Td>
        <Text size="sm">
          {interfaceLabel ?? item.interface}, {sources.join(', ')}
        </Text>
        <Text size="xs" c="dimmed" className="mono">
          {rules.join(', ')}
        </Text>
      </Table.Td>
      <Table.Td>
        <AddTo item={item} />
        {item.add === undefined && <Text size="sm">Table {table}</Text>}
      </Table.Td>
      <Table.Td className="number">
        {waiting}
        {waiting > messages && (
          <Text size="xs" c="dimmed">
            {waiting - messages} behind others
          </Text>
        )}
      </Table.Td>
      <Table.Td className="nowrap">
        {[item.firstAt, item.lastAt].map((at, index) => (
          <Text size="sm" key={index}>
            <time dateTime={at} title={toDateTime(at)}>
              {toShortTime(at, now)}
            </time>
          </Text>
        ))}
      </Table.Td>
      <Table.Td>
        {item.examples.map((id, index) => (
          <Anchor
            key={id}
            component="button"
            type="button"
            size="sm"
            mr={8}
            aria-label={`Message ${index + 1} that waits for ${nameOf(item)}`}
            onClick={() => onOpen(id)}
          >
            {index + 1}
          </Anchor>
        ))}
      </Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          {(['again', 'skip'] as const).map((decision) => (
            <Button
              key={decision}
              size="compact-xs"
              variant="default"
              aria-label={`${words[decision].button}: messages that wait for ${nameOf(item)}`}
              onClick={() => onAsk({ item, decision })}
            >
              {words[decision].button}…
            </Button>
          ))}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

function AddTo({ item: { add, isMapped } }: { readonly item: UnmappedView }) {
  if (isMapped) {
    return (
      <Text size="sm" className="good">
        Mapped: they go on, some at a time
      </Text>
    );
  }
  if (add === undefined) return null;
  return (
    <>
      <Text size="sm" className="mono">
        {add.file}
        {add.head !== undefined && ' (new)'}
      </Text>
      <Code block>{add.head === undefined ? add.row : `${add.head}\n${add.row}`}</Code>
    </>
  );
}

const words = {
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
function Decide({ item, decision, onClose }: Asked & { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: () => post(`/api/mapping/unmapped/${item.id}/${decision}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: key });
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
