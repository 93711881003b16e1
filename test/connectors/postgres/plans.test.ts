import pg from 'pg';
import type { PostgresStore } from '../../../connectors/postgres/open.ts';
import type { LedgerEntry, LedgerEventKind } from '../../../core/ports/ledger.ts';
import { deriveId } from '../../../runtime/derived-id.ts';
import { buildMessage } from '../../runtime/owner.ts';
import { until } from '../../support/hilum.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { openStore } from './support.ts';

describeWith('postgres', 'a ledger that nobody has analysed yet', () => {
  let server: PostgresServer;
  let url: string;
  let store: PostgresStore;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startPostgres();
    client = await connect(await server.createDatabase());
    await client.query('ALTER SYSTEM SET autovacuum = off');
    await client.query('SELECT pg_reload_conf()');
    await client.end();
  }, 150_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.createDatabase();
    store = await openStore(url);
    client = await connect(url);
  });
  afterEach(async () => {
    await store.close();
    await client.end();
  });

  const toEvents = (id: string, ...kinds: readonly LedgerEventKind[]): readonly LedgerEntry[] =>
    kinds.map((kind) => {
      const queue = kind === 'received' ? {} : { queue: 'in.lab' };
      const at = new Date().toISOString();
      return { type: 'event', event: { messageId: id, kind, at, ...queue } };
    });

  it('finds what it writes about and is asked about by an index, however much there is', async () => {
    const [rounds, atATime] = [40, 32];
    const count = rounds * atATime;
    const { ledger } = store;
    const since = new Date(0).toISOString();
    const carry = async (number: number): Promise<void> => {
      const envelope = buildMessage(`C${number}`);
      const { id, interface: owner, controlId = '' } = envelope;
      const batch = { sender: 'a sender', number, heardBelow: 1 };
      await ledger.findReceived([{ interface: owner, controlId, digest: 'of it', since }]);
      await ledger.append(
        [{ type: 'message', envelope }, ...toEvents(id, 'received', 'queued')],
        batch,
      );
      await ledger.states([id]);
      await ledger.append(toEvents(id, 'taken', 'processed'));
    };
    for (let round = 0; round < rounds; round += 1) {
      const numbers = Array.from({ length: atATime }, (_, each) => round * atATime + each + 1);
      await Promise.all(numbers.map(carry));
    }
    expect((await ledger.states([(await ledger.read(`C${count}`))?.id ?? ''])).size).toBe(1);
    await store.close();
    // A connection tells what it has read when it ends.
    const { read } = await until(
      async () => {
        const { rows } = await client.query<{ readonly found: number; readonly read: number }>(
          `SELECT sum(coalesce(idx_scan, 0))::int AS found, sum(seq_tup_read)::int AS read
           FROM pg_stat_user_tables WHERE schemaname = 'hilum' AND relname ~ '^(standing|message|content|event)_|^waiting$'`,
        );
        return rows[0]!;
      },
      ({ found }) => found > count,
      20_000,
    );
    expect(read).toBeLessThan(count);
  });

  it('traces thousands that were made of one message as quickly the tenth time as the first', async () => {
    const { ledger } = store;
    const parent = buildMessage('C1');
    const made = Array.from({ length: 4_000 }, (_, index) => ({
      ...parent,
      ...{ id: deriveId(parent.id, String(index)), causationId: parent.id },
    }));
    await ledger.append([parent, ...made].map((envelope) => ({ type: 'message', envelope })));
    const took: number[] = [];
    for (let time = 1; time <= 10; time += 1) {
      const startedMs = performance.now();
      expect((await ledger.trace(parent.id))?.messages).toHaveLength(4_001);
      took.push(performance.now() - startedMs);
    }
    const [first = 0] = took;
    expect(Math.min(...took.slice(-3))).toBeLessThan(2 * first + 500);
  });
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}
