import { Anchor, Button, Code, Group, Table, Text } from '@mantine/core';
import type { UnmappedView } from '../api/unmapped.ts';
import { nameOf, words, type Asked } from './decide-unmapped.tsx';
import { toDateTime, toShortTime } from './time.ts';

/** One code, with what is to be done about it. */
export function UnmappedRow(props: {
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
        {display !== undefined && (
          <Text size="sm" lineClamp={2}>
            {display}
          </Text>
        )}
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
        <Silent item={item} now={now} />
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
        {(messages === 1 ? [item.firstAt] : [item.firstAt, item.lastAt]).map((at, index) => (
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
        <Decided item={item} now={now} />
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

/** What somebody has decided, as far as it is not carried out yet. */
function Decided({
  item: { decided },
  now,
}: {
  readonly item: UnmappedView;
  readonly now: number;
}) {
  if (decided === undefined) return null;
  const { decision, by, at, left, reason } = decided;
  return (
    <Text size="xs" mb={4} role="status">
      {words[decision].button}: decided by {by} at{' '}
      <time dateTime={at} title={toDateTime(at)}>
        {toShortTime(at, now)}
      </time>
      {reason !== undefined && `: ${reason}`}; {left} left
    </Text>
  );
}

/** Those that went on are not through: nothing that a code could mend. */
function Silent({
  item: { silentSince },
  now,
}: {
  readonly item: UnmappedView;
  readonly now: number;
}) {
  if (silentSince === undefined) return null;
  return (
    <Text size="xs" className="warn">
      The flow has taken none since{' '}
      <time dateTime={silentSince} title={toDateTime(silentSince)}>
        {toShortTime(silentSince, now)}
      </time>
      : does its worker run?
    </Text>
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
