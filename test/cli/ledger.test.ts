import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { connectOwner } from '../../connectors/sqlite/client.ts';
import { openOwner } from '../../connectors/sqlite/owner.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import { exportLedger } from '../../runtime/ledger/export.ts';
import { readSettings } from '../../runtime/settings.ts';
import { prepareDataDirectory } from '../../runtime/data-directory.ts';
import { latestVersion } from '../../connectors/postgres/schema.ts';
import { openSession } from '../../connectors/postgres/session.ts';
import { openStore, toAddress } from '../connectors/postgres/support.ts';
import { addOld, childOf, daysAgo } from '../contract/retention.ts';
import { silent } from '../runtime/owner.ts';
import { runCli } from '../support/hilum.ts';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { describeWith } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp.ts';

/** Some messages with what was made of them. */
async function fill(ledger: Ledger): Promise<void> {
  for (let days = 1; days <= 5; days += 1) {
    const parent = await addOld(ledger, days, ['received', 'queued', 'processed']);
    await addOld(ledger, days, ['queued', 'dead-lettered'], childOf(parent));
  }
}

async function exportAll(ledger: Ledger): Promise<readonly unknown[]> {
  const all = [];
  for await (const each of exportLedger(ledger, {})) all.push(each);
  return all;
}

const parse = (lines: string): readonly unknown[] =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('hilum ledger on the data file', () => {
  it('backs up what runs, exports it, and the copy is a ledger like it', async () => {
    const env = { PATH: process.env['PATH'] ?? '', HILUM_DATA: makeTempFolder('cli-ledger') };
    const read = readSettings(env);
    if (!read.ok) throw new Error(read.problems.join(' '));
    const { databaseFile: file, ownerSocket: socket } = read.settings;
    await prepareDataDirectory(read.settings);
    let owner = await openOwner({ file, socket, logger: silent });
    let client = await connectOwner({ socket, logger: silent });
    await fill(client.ledger);
    const before = await exportAll(client.ledger);

    const exported = await runCli(['ledger', 'export'], env);
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    expect(parse(exported.stdout)).toEqual(before);
    const dead = await runCli(
      ['ledger', 'export', '--state', 'dead-lettered', '--from', daysAgo(2.5)],
      env,
    );
    expect(parse(dead.stdout)).toHaveLength(2);

    // What is written after the last write-back is part of it.
    await addOld(client.ledger, 0, ['received']);
    const after = await exportAll(client.ledger);
    await addOld(client.ledger, 0, ['received']);
    const copy = path.join(env.HILUM_DATA, 'backup.db');
    const backUp = await runCli(['ledger', 'backup', copy], env);
    expect([backUp.code, backUp.stderr]).toEqual([0, '']);
    expect((await runCli(['ledger', 'backup', copy], env)).code).toBe(2);
    const last = await exportAll(client.ledger);
    await addOld(client.ledger, 0, ['received']);
    await client.close();
    await owner.close();
    expect(after).toHaveLength(11);

    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, `${file}${suffix}.before`);
    }
    renameSync(copy, file);
    owner = await openOwner({ file, socket, logger: silent });
    client = await connectOwner({ socket, logger: silent });
    expect(await exportAll(client.ledger)).toEqual(last);
    await addOld(client.ledger, 0, ['received']);
    await client.close();
    await owner.close();
  }, 60_000);
});

describeWith('postgres', 'hilum ledger on PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 150_000);
  afterAll(() => server.stop());

  const envOf = (url: string) => ({
    PATH: process.env['PATH'] ?? '',
    HILUM_DATA: makeTempFolder('cli-ledger'),
    RABBITMQ_URL: 'amqp://127.0.0.1:1',
    HILUM_LEDGER_URL: url,
  });

  it('makes the tables, goes back and forth, and says before what it would do', async () => {
    const url = await server.createDatabase();
    const env = envOf(url);
    const migrate = async (...args: readonly string[]) =>
      (await runCli(['ledger', 'migrate', ...args], env)).stdout;
    const steps = Array.from({ length: latestVersion }, (_, at) => `from ${at} to ${at + 1}`);
    expect(await migrate('--dry-run')).toBe(steps.map((step) => `would go ${step}\n`).join(''));
    expect(await migrate()).toBe(steps.map((step) => `went ${step}\n`).join(''));
    expect(await migrate()).toBe('The tables are of that version already.\n');
    const before = String(latestVersion - 1);
    expect(await migrate('--to', before)).toBe(`went from ${latestVersion} to ${before}\n`);
    const beyond = await runCli(['ledger', 'migrate', '--to', '99'], env);
    expect([beyond.code, beyond.stderr]).toEqual([
      2,
      expect.stringContaining(`from 0 to ${latestVersion}`),
    ]);
    await migrate();
    const newer = await openSession(toAddress(url));
    await newer.query('UPDATE schema_version SET version = version + 1');
    await newer.end();
    expect(await migrate()).toMatch(/newer Hilum .* of version \d+; this one works with them/);
  }, 60_000);

  it('exports, and is saved and restored by pg_dump and pg_restore', async () => {
    const url = await server.createDatabase();
    const store = await openStore(url);
    await fill(store.ledger);
    const before = await exportAll(store.ledger);
    const counts = await store.ledger.counts();
    const exported = await runCli(['ledger', 'export'], envOf(url));
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    expect(parse(exported.stdout)).toEqual(before);
    const backUp = await runCli(['ledger', 'backup', '/nowhere'], envOf(url));
    expect(backUp.stderr).toContain('pg_dump --format=custom --schema=hilum');

    // Both as docs/operate.md says, while it is used.
    const file = path.join(makeTempFolder('dump'), 'ledger.dump');
    const run = (program: string, ...args: readonly string[]) =>
      execFileSync(path.join(server.programs, program), args, {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    run('pg_dump', '--format=custom', '--schema=hilum', `--file=${file}`, `--dbname=${url}`);
    await store.close();
    const other = await server.createDatabase();
    run('pg_restore', '--exit-on-error', `--dbname=${other}`, file);
    const restored = await openStore(other);
    expect(await exportAll(restored.ledger)).toEqual(before);
    expect(await restored.ledger.counts()).toEqual(expect.arrayContaining([...counts]));
    await addOld(restored.ledger, 0, ['received', 'queued']);
    expect(await restored.ledger.find({}, { limit: 100 })).toHaveLength(11);
    await restored.close();
  }, 60_000);

  it('says what a wrong URL needs, and never its password', async () => {
    const env = envOf('postgres://hilum:verysecret@127.0.0.1:1/db');
    const away = await runCli(['ledger', 'migrate'], env);
    expect(away.code).toBe(2);
    expect(away.stderr).toContain('127.0.0.1:1');
    expect(away.stdout + away.stderr).not.toContain('verysecret');
  });
});
