import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openUserStore } from '../../connectors/file/user-store.ts';
import { hashPassword, isPassword } from '../../console/api/password.ts';
import type { UserRecord, UserStore } from '../../console/api/user-store.ts';
import { HilumError } from '../../core/errors.ts';
import { makeTempFolder } from '../support/temp.ts';

const user = (username: string): UserRecord => ({
  username,
  passwordHash: 'scrypt$1$1$1$x$y',
  permissions: ['*'],
  createdAt: '2026-01-02T03:04:05.000Z',
});

function openStore(): { store: UserStore; folder: string; file: string } {
  const folder = makeTempFolder('users');
  const file = join(folder, 'users.json');
  return { store: openUserStore(file), folder, file };
}

it('keeps users for the next start, readable by its owner alone', async () => {
  const { store, file, folder } = openStore();
  expect(await store.isEmpty()).toBe(true);
  await store.add(user('ada'));
  const reopened: UserStore = openUserStore(file);
  expect(await reopened.isEmpty()).toBe(false);
  expect(await reopened.find('ada')).toEqual(user('ada'));
  expect(await reopened.find('eve')).toBeUndefined();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['users.json']);
});

it('keeps all of many who are added at once', async () => {
  const { store, file } = openStore();
  const names = Array.from({ length: 20 }, (_, index) => `user${index}`);
  await Promise.all(names.map((name) => store.add(user(name))));
  const { users } = JSON.parse(readFileSync(file, 'utf8')) as { users: UserRecord[] };
  expect(users.map(({ username }) => username)).toEqual(names);
});

it('refuses a name that is taken, and takes the next', async () => {
  const { store } = openStore();
  await store.add(user('ada'));
  await expect(store.add(user('ada'))).rejects.toThrow(HilumError);
  await store.add(user('eve'));
  expect(await store.find('eve')).toBeDefined();
});

it.each([['not json {"passwordHash":"secret"'], ['{}'], ['{"users":[{"username":"ada"}]}'], ['']])(
  'counts the damaged file %j neither as empty nor as anybody, and does not quote it',
  async (text) => {
    const { store, file } = openStore();
    writeFileSync(file, text);
    const calls = [() => store.isEmpty(), () => store.find('ada'), () => store.add(user('ada'))];
    for (const call of calls) {
      const error: unknown = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ issues: [{ code: 'user-file-unreadable' }] });
      expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    }
    expect(readFileSync(file, 'utf8')).toBe(text);
  },
);

it('leaves the old file when it cannot write the new one', async () => {
  const folder = makeTempFolder('users');
  mkdirSync(join(folder, 'users.json'));
  const store: UserStore = openUserStore(join(folder, 'users.json'));
  await expect(store.add(user('ada'))).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(['users.json']);
});

describe('a password', () => {
  it('is known by its hash, which differs for each user', async () => {
    const [one, other] = await Promise.all([
      hashPassword('a password'),
      hashPassword('a password'),
    ]);
    expect(one).not.toBe(other);
    expect(await isPassword('a password', one)).toBe(true);
    expect(await isPassword('another one', one)).toBe(false);
  });

  it('is the same however the keyboard composes its letters', async () => {
    expect(await isPassword('cafe\u0301', await hashPassword('caf\u00e9'))).toBe(true);
  });

  it('of nobody is never right, also not the one behind the comparison', async () => {
    expect(await isPassword('', undefined)).toBe(false);
  });
});
