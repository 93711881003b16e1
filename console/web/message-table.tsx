import { Anchor, Table, Text } from '@mantine/core';
import type { MessageView } from '../api/views.ts';
import { isMadeInside } from './origin.ts';
import { StateBadge } from './state-badge.tsx';
import { toAge, toDateTime, toShortTime } from './time.ts';
import { WideTable, type Column } from './wide-table.tsx';

const columns: readonly Column[] = [
  'Received',
  'Interface',
  'Type',
  'Control id',
  'State',
  { number: 'Age' },
];

/** Messages, one a row; a click or Enter on its id opens its steps. */
export function MessageTable(props: {
  readonly messages: readonly MessageView[];
  readonly now: number;
  readonly onOpen: (id: string) => void;
  /** The id of the heading that names the table. */
  readonly labelledBy: string;
}) {
  return (
    <WideTable labelledBy={props.labelledBy} columns={columns} minWidth={600}>
      {props.messages.map((message) => (
        <MessageRow key={message.id} message={message} now={props.now} onOpen={props.onOpen} />
      ))}
    </WideTable>
  );
}

function MessageRow(props: {
  readonly message: MessageView;
  readonly now: number;
  readonly onOpen: (id: string) => void;
}) {
  const { message, now, onOpen } = props;
  const ageSeconds = (now - Date.parse(message.receivedAt)) / 1000;
  return (
    <Table.Tr className="selectable" onClick={() => onOpen(message.id)}>
      <Table.Td className="nowrap">
        <time dateTime={message.receivedAt} title={toDateTime(message.receivedAt)}>
          {toShortTime(message.receivedAt, now)}
        </time>
      </Table.Td>
      <Table.Td>{message.interfaceLabel ?? message.interface}</Table.Td>
      <Table.Td>
        {isMadeInside(message) && (
          <Text span c="dimmed" title="Made by a flow from another message">
            <span aria-label="made by a flow:">↳ </span>
          </Text>
        )}
        <span className="mono">{message.messageType ?? message.contentType}</span>
      </Table.Td>
      <Table.Td>
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="start"
          className="mono"
          onClick={(event) => {
            event.stopPropagation();
            onOpen(message.id);
          }}
        >
          {message.controlId ?? `…${message.id.slice(-8)}`}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StateBadge state={message.state} />
      </Table.Td>
      <Table.Td className="number nowrap">{toAge(ageSeconds)}</Table.Td>
    </Table.Tr>
  );
}
