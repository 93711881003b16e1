import { Alert, Button, Code, Text, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { UnmappedView } from '../api/unmapped.ts';
import { get } from './api.ts';
import { Decide, unmappedKey, type Asked } from './decide-unmapped.tsx';
import { mostUnmapped } from './findings.ts';
import { UnmappedRow } from './unmapped-row.tsx';
import { WideTable, type Column } from './wide-table.tsx';

/** So many are shown before somebody asks for all of them. */
const firstShown = 10;

/** The codes for which messages are held, as they were known last, and why they are not known now. */
export interface KnownUnmapped {
  readonly items: readonly UnmappedView[];
  readonly fault?: string;
}

/** Asked for now and then. */
export function useUnmapped(): KnownUnmapped {
  const { data = [], error } = useQuery({
    queryKey: unmappedKey,
    queryFn: async () =>
      (await get(`/api/mapping/unmapped?limit=${mostUnmapped}`)) as UnmappedView[],
    refetchInterval: 5000,
    placeholderData: keepPreviousData,
  });
  return { items: data, ...(error === null ? {} : { fault: error.message }) };
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
  readonly known: KnownUnmapped;
  readonly now: number;
  readonly onOpen: (id: string) => void;
}) {
  const { known, now, onOpen } = props;
  const { items, fault } = known;
  const [asked, ask] = useState<Asked>();
  const [isWhole, setWhole] = useState(false);
  if (items.length === 0 && asked === undefined && fault === undefined) return null;
  const shown = isWhole ? items : items.slice(0, firstShown);
  const isCut = items.length >= mostUnmapped;
  return (
    <section aria-labelledby="unmapped">
      <Title order={2} size="h4" id="unmapped" mb={4}>
        Unmapped codes
      </Title>
      {fault !== undefined && (
        <Alert color="red" variant="outline" radius="sm" p="xs" mb="sm" role="alert">
          <Text size="sm">The codes that messages wait for are not known now: {fault}</Text>
        </Alert>
      )}
      {items.length > 0 && (
        <>
          <Text size="sm" c="dimmed" mb="sm">
            Messages wait for these codes. Add each to its table and deploy: the messages go on by
            themselves, in the order of their key.
          </Text>
          <WideTable labelledBy="unmapped" columns={columns} highlightOnHover={false}>
            {shown.map((item) => (
              <UnmappedRow key={item.id} item={item} now={now} onOpen={onOpen} onAsk={ask} />
            ))}
          </WideTable>
        </>
      )}
      {items.length > firstShown && (
        <Button size="compact-sm" variant="subtle" mt="xs" onClick={() => setWhole(!isWhole)}>
          {isWhole ? `Show the first ${firstShown}` : `Show ${isCut ? mostUnmapped : items.length}`}
        </Button>
      )}
      {isCut && (
        <Text size="sm" c="dimmed" mt={4}>
          There are more than these {mostUnmapped}, which are waited for longest:{' '}
          <Code>hilum mapping unmapped</Code> lists all.
        </Text>
      )}
      {asked !== undefined && (
        <Decide key={asked.item.id} {...asked} onClose={() => ask(undefined)} />
      )}
    </section>
  );
}
