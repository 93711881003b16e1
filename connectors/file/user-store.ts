import { buildError } from '../../core/errors.ts';
import { readFileIfAny, writeFileAtomically } from './write-file.ts';

/** A user as the file keeps it; the same shape as the console's port, console/api/user-store.ts. */
interface StoredUser {
  readonly username: string;
  readonly passwordHash: string;
  readonly permissions: readonly string[];
  readonly createdAt: string;
}

interface FileUserStore {
  isEmpty(): Promise<boolean>;
  find(username: string): Promise<StoredUser | undefined>;
  add(user: StoredUser): Promise<void>;
}

/**
 * Users in one JSON file (mode 0600) of an existing folder; the file need not exist yet. Read anew on every
 * call, so that an edit by hand holds at once. Written as a whole beside the old one, synced, then renamed
 * over it: after a crash there is the old file or the new one. One process writes.
 * Rejects with HilumError `user-file-unreadable` where the file is not what this writes: nobody is signed
 * in then, and no setup link is given out.
 */
export function openUserStore(file: string): FileUserStore {
  let writing: Promise<unknown> = Promise.resolve();
  return {
    async isEmpty() {
      return (await readUsers(file)).length === 0;
    },
    async find(username) {
      return (await readUsers(file)).find((user) => user.username === username);
    },
    add(user) {
      const added = writing.then(() => addUser(file, user));
      writing = added.catch(() => undefined);
      return added;
    },
  };
}

async function addUser(file: string, user: StoredUser): Promise<void> {
  const users = await readUsers(file);
  if (users.some(({ username }) => username === user.username)) {
    throw buildError(
      'permanent',
      'user-exists',
      'Expected a new user name, found one that is taken; choose another.',
    );
  }
  await writeFileAtomically(file, `${JSON.stringify({ users: [...users, user] }, undefined, 2)}\n`);
}

async function readUsers(file: string): Promise<readonly StoredUser[]> {
  let text: string | undefined;
  try {
    text = await readFileIfAny(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  if (text === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Without its cause: that would quote the file, hashes and all.
    throw unreadable(file);
  }
  const users = (parsed as { users?: unknown } | null)?.users;
  if (!Array.isArray(users) || !users.every(isStoredUser)) throw unreadable(file);
  return users;
}

function isStoredUser(value: unknown): value is StoredUser {
  const user = value as Partial<Record<keyof StoredUser, unknown>> | null;
  return (
    typeof user?.username === 'string' &&
    typeof user.passwordHash === 'string' &&
    typeof user.createdAt === 'string' &&
    Array.isArray(user.permissions) &&
    user.permissions.every((permission) => typeof permission === 'string')
  );
}

function unreadable(file: string, cause?: unknown): Error {
  return buildError(
    'permanent',
    'user-file-unreadable',
    `Expected the users as JSON in ${file}, found something else; restore it from a backup, or delete it to set up a new administrator.`,
    cause,
  );
}
