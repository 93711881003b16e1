import {
  Button,
  EmptyState,
  Group,
  NativeSelect,
  Switch,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { MessageState } from '../../core/ports/ledger.ts';
import type { MessageView, TraceView } from '../api/views.ts';
import { get } from './api.ts';
import { MessageTable } from './message-table.tsx';
import { isMadeInside } from './origin.ts';
import { stateWords } from './state-badge.tsx';
import { zone } from './time.ts';
import { useAddress } from './use-address.ts';
import type { Snapshot } from './use-live.ts';

const pageSize = 100;
const states = Object.keys(stateWords) as MessageState[];

/** The last messages, live; older ones and those of one state are asked for. */
export function Messages(props: {
  readonly snapshot: Snapshot;
  readonly now: number;
  readonly onOpen: (id: string) => void;
}) {
  const { snapshot, now, onOpen } = props;
  const [stateText, setState] = useAddress('state');
  const [before, setBefore] = useAddress('before');
  const [text, setText] = useState('');
  const [isReceivedOnly, setReceivedOnly] = useState(false);
  const state = states.find((each) => each === stateText);
  const isLive = state === undefined && before === undefined;

  const query = new URLSearchParams({
    limit: String(pageSize),
    ...(state === undefined ? {} : { state }),
    ...(before === undefined ? {} : { before }),
  }).toString();
  const asked = useQuery({
    queryKey: ['messages', query],
    queryFn: async () => (await get(`/api/messages?${query}`)) as MessageView[],
    enabled: !isLive,
    refetchInterval: 2000,
    placeholderData: keepPreviousData,
  });
  const lookup = useMutation({
    mutationFn: async (id: string) =>
      (await get(`/api/messages/${encodeURIComponent(id)}`)) as TraceView,
    onSuccess: ({ id }) => onOpen(id),
  });

  const loaded = (isLive ? snapshot.messages : asked.data) ?? [];
  const needle = text.trim().toLowerCase();
  const shown = loaded.filter(
    (message) =>
      (!isReceivedOnly || !isMadeInside(message)) &&
      [message.controlId, message.messageType, message.id].some((value) =>
        (value ?? '').toLowerCase().includes(needle),
      ),
  );

  return (
    <section aria-labelledby="messages-title">
      <Group justify="space-between" align="end" mb="sm" gap="sm">
        <div>
          <Title order={2} size="h4" id="messages-title">
            <span id="messages" tabIndex={-1}>
              Last messages
            </span>
          </Title>
          <Text size="xs" c="dimmed">
            Times in {zone}
          </Text>
        </div>
        <Group align="end" gap="sm">
          <Switch
            label="Received only"
            description="Hide what flows made"
            checked={isReceivedOnly}
            onChange={(event) => setReceivedOnly(event.currentTarget.checked)}
          />
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (needle !== '') lookup.mutate(text.trim());
            }}
          >
            <TextInput
              label="Control id or type"
              placeholder="Filter; Enter looks it up"
              value={text}
              onChange={(event) => {
                setText(event.currentTarget.value);
                lookup.reset();
              }}
            />
          </form>
          <NativeSelect
            label="State"
            value={state ?? ''}
            onChange={(event) => {
              setBefore(undefined);
              setState(event.currentTarget.value || undefined);
            }}
            data={[
              { value: '', label: 'All' },
              ...states.map((each) => ({ value: each, label: stateWords[each] })),
            ]}
          />
        </Group>
      </Group>
      <Text role="status" size="sm" c="dimmed" mb="xs">
        {lookup.error ? <span className="warn">{lookup.error.message} </span> : ''}
        {asked.error && !isLive ? <span className="warn">{asked.error.message} </span> : ''}
        {needle === '' ? '' : `${shown.length} of the ${loaded.length} shown match.`}
      </Text>
      {shown.length === 0 ? (
        <Nothing
          isEmpty={isLive && loaded.length === 0}
          onLookUp={needle === '' ? undefined : () => lookup.mutate(text.trim())}
        />
      ) : (
        <MessageTable messages={shown} now={now} onOpen={onOpen} labelledBy="messages-title" />
      )}
      <Group mt="sm" gap="sm">
        {before !== undefined && (
          <Button size="compact-sm" variant="default" onClick={() => setBefore(undefined)}>
            Newest
          </Button>
        )}
        {loaded.length >= pageSize && (
          <Button size="compact-sm" variant="default" onClick={() => setBefore(loaded.at(-1)?.id)}>
            Older
          </Button>
        )}
      </Group>
    </section>
  );
}

function Nothing(props: {
  readonly isEmpty: boolean;
  readonly onLookUp: (() => void) | undefined;
}) {
  if (props.isEmpty) {
    return (
      <EmptyState
        title="No message yet"
        description={
          <>
            Send one: <code>npm run hilum -- send samples/oru-r01.hl7</code>
          </>
        }
      />
    );
  }
  return (
    <EmptyState title="No message matches" description="Of those that are loaded.">
      {props.onLookUp && (
        <Button variant="default" size="compact-sm" onClick={props.onLookUp}>
          Look this control id up among all messages
        </Button>
      )}
    </EmptyState>
  );
}
