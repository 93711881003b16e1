import type { Cluster, Notice, RevisionContent } from '../../../core/ports/cluster.ts';
import { openCluster } from '../../../connectors/postgres/cluster.ts';
import { until } from '../../support/hilum.ts';
import { startPostgres, type PostgresServer } from '../../support/postgres.ts';
import { describeWith } from '../../support/programs.ts';
import { silent } from '../../runtime/owner.ts';
import { toAddress } from './support.ts';

describeWith('postgres', 'a cluster in PostgreSQL', () => {
  let server: PostgresServer;
  let database: string;
  const opened: Cluster[] = [];

  beforeAll(async () => {
    server = await startPostgres();
    database = await server.createDatabase();
  }, 60_000);
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await server.stop();
  }, 60_000);

  async function join(): Promise<{
    readonly cluster: Cluster;
    readonly notices: readonly Notice[];
  }> {
    const cluster = await openCluster({ address: toAddress(database), logger: silent });
    opened.push(cluster);
    const notices: Notice[] = [];
    cluster.listen((notice) => notices.push(notice));
    await heard(notices, { type: 'missed' });
    return { cluster, notices };
  }

  const heard = (notices: readonly Notice[], notice: Notice) =>
    until(
      () => Promise.resolve(notices),
      (all) => all.some((each) => JSON.stringify(each) === JSON.stringify(notice)),
      20_000,
    );

  const contentOf = (label: string): RevisionContent => ({
    flows: [{ id: 'a', type: 'tab', label }],
    credentials: { $: 'secret' },
    mappings: [{ path: 'message/a.map.yaml', text: 'id: a\n' }],
  });

  it('keeps revisions in order, and refuses one that does not follow the newest', async () => {
    const { cluster } = await join();
    const other = await join();
    expect(await cluster.latest()).toBeUndefined();
    const first = await cluster.add({ by: 'ada', message: 'First', content: contentOf('one') }, 0);
    expect(first).toMatchObject({ number: 1, by: 'ada', message: 'First' });
    await heard(other.notices, { type: 'revision' });
    const both = await Promise.allSettled(
      ['two', 'also two'].map((label) =>
        cluster.add({ by: 'grace', message: label, content: contentOf(label) }, 1),
      ),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(
      other.cluster.add({ by: 'grace', message: 'late', content: contentOf('late') }, 1),
    ).rejects.toThrow(/revision-outdated/);
    expect((await other.cluster.read(1))?.content).toEqual(contentOf('one'));
    expect((await other.cluster.latest())?.number).toBe(2);
    expect((await cluster.list(9)).map(({ number }) => number)).toEqual([2, 1]);
    expect(await cluster.read(7)).toBeUndefined();
  }, 60_000);

  it('carries what members say of themselves and tell each other, however long', async () => {
    const { cluster, notices } = await join();
    const other = await join();
    const member = { id: 'w-1', role: 'worker', group: 'hot', host: 'h', revision: 2 };
    await cluster.report({ ...member, report: { state: 'running' } });
    await cluster.report({ ...member, report: { state: 'stopped' } });
    expect(await other.cluster.members(60_000)).toEqual([
      { ...member, report: { state: 'stopped' } },
    ]);
    await cluster.leave('w-1');
    expect(await other.cluster.members(60_000)).toEqual([]);
    const long = { text: 'ü'.repeat(20_000) };
    await cluster.tell('short');
    await cluster.tell(long);
    for (const all of [notices, other.notices]) {
      await heard(all, { type: 'message', message: 'short' });
      await heard(all, { type: 'message', message: long });
    }
    expect(await cluster.readKept('paused')).toBeUndefined();
    await cluster.writeKept('paused', '[]');
    await other.cluster.writeKept('paused', '[1]');
    await heard(notices, { type: 'kept', name: 'paused' });
    expect(await cluster.readKept('paused')).toBe('[1]');
  }, 60_000);

  it('hears again after a restart of PostgreSQL, and says that notices were missed', async () => {
    const { cluster, notices } = await join();
    await server.kill();
    await expect(cluster.tell('away')).rejects.toThrow(/ledger-unavailable/);
    const before = notices.length;
    await server.start();
    await until(
      () => Promise.resolve(notices.slice(before)),
      (all) => all.some(({ type }) => type === 'missed'),
      30_000,
    );
    await until(
      () => cluster.tell('back').then(() => true),
      (told) => told,
      20_000,
    );
    await heard(notices, { type: 'message', message: 'back' });
  }, 90_000);
});
