import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { recoverFileSet, writeFileSet } from '../../../connectors/file/file-set.ts';
import { makeTempFolder } from '../../support/temp.ts';

const program = path.join(import.meta.dirname, 'file-set-process.ts');

/** A folder with three files of an old set, and what makes a new one of it. */
function setUp() {
  const folder = makeTempFolder('set');
  const inside = path.join(folder, 'inside');
  mkdirSync(inside);
  const before = { 'kept.json': 'old', 'gone.json': 'old', 'inside/one.json': 'old' };
  for (const [name, text] of Object.entries(before)) writeFileSync(path.join(folder, name), text);
  const after = { 'kept.json': 'new', 'inside/one.json': 'new', 'made.json': 'new' };
  const changes = {
    write: Object.entries(after).map(([name, text]) => [path.join(folder, name), text] as const),
    remove: [path.join(folder, 'gone.json')],
  };
  const journal = path.join(folder, 'journal');
  return { folder, inside, before, after, changes, journal };
}

function readAll(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
  );
}

it('a change makes the new files, removes what is gone, and leaves nothing behind', async () => {
  const { folder, changes, after, journal } = setUp();
  const changed = await writeFileSet(journal, { ...changes, write: new Map(changes.write) });
  expect(changed).toHaveLength(4);
  expect(readAll(folder)).toEqual(after);
  expect(readdirSync(folder).sort()).toEqual(['inside', 'kept.json', 'made.json']);
  expect(await writeFileSet(journal, { write: new Map(changes.write), remove: [] })).toEqual([]);
});

it('a change that ends at any step is there as a whole after the next start, or not at all', async () => {
  const seen = new Set<string>();
  for (let step = 1; ; step += 1) {
    const { folder, inside, before, after, changes, journal } = setUp();
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      [program, journal, JSON.stringify(changes), String(step)],
      { encoding: 'utf8' },
    );
    if (status === 0) break;
    expect([signal, stderr]).toEqual(['SIGKILL', '']);
    const wasDecided = existsSync(journal);
    await recoverFileSet(journal, [folder, inside]);
    const found = readAll(folder);
    // The last step is after everything.
    const isNew = wasDecided || found['made.json'] === 'new';
    expect(found).toEqual(isNew ? after : before);
    expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(isLeft)).toEqual([]);
    seen.add(isNew ? 'new' : 'old');
  }
  expect([...seen].sort()).toEqual(['new', 'old']);
});

const isLeft = (name: string): boolean => name.endsWith('.next') || name === 'journal';

it('a change that cannot be written leaves the old files and says why', async () => {
  const { folder, changes, before, journal } = setUp();
  const blocked = path.join(folder, 'kept.json', 'below-a-file.json');
  const write = new Map([...changes.write, [blocked, 'new'] as const]);
  await expect(writeFileSet(journal, { write, remove: changes.remove })).rejects.toThrow(/ENOTDIR/);
  expect(readAll(folder)).toEqual(before);
  expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(isLeft)).toEqual([]);
});
