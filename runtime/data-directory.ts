import { randomBytes } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { readFileIfAny, writeFileAtomically } from '../connectors/file/write-file.ts';
import { packageDirectory, type Settings } from './settings.ts';

/**
 * Makes the data folder (mode 0700), the folder of the sockets, and the flows: where there are none, the
 * shipped ones are copied, to be edited there.
 */
export async function prepareDataDirectory(settings: Settings): Promise<void> {
  for (const directory of [settings.dataDirectory, path.dirname(settings.ownerSocket)]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await requireOwn(directory);
    await chmod(directory, 0o700);
  }
  await mkdir(settings.flowsDirectory, { recursive: true, mode: 0o700 });
  const flows = await readdir(settings.flowsDirectory);
  if (flows.some((name) => name.endsWith('.json'))) return;
  await cp(path.join(packageDirectory, 'flows'), settings.flowsDirectory, {
    recursive: true,
    filter: (source) => !source.endsWith('.md'),
  });
}

/** A folder that somebody else made beforehand (in the temporary folder, say) is theirs, sockets and all. */
async function requireOwn(directory: string): Promise<void> {
  const { uid } = await lstat(directory).then((found) => {
    if (!found.isDirectory()) throw new Error(`Expected a folder at ${directory}, found a link.`);
    return found;
  });
  if (uid !== userInfo().uid) {
    throw new Error(
      `Expected ${directory} to belong to the user that runs Hilum (${userInfo().username}), found another owner; change its owner or set HILUM_DATA.`,
    );
  }
}

/** The key of the flows' credentials: `HILUM_CREDENTIAL_SECRET`, else one made once and kept (mode 0600). */
export async function readCredentialSecret(settings: Settings): Promise<string> {
  if (settings.credentialSecret !== undefined) return settings.credentialSecret;
  const file = path.join(settings.dataDirectory, 'credential-secret');
  const kept = await readFileIfAny(file);
  if (kept !== undefined) return kept.trim();
  const made = randomBytes(32).toString('base64url');
  await writeFileAtomically(file, `${made}\n`);
  return made;
}

/** Makes what Node-RED otherwise complains about at every start: its own folder with a package.json. */
export async function prepareNodeRed(userDirectory: string): Promise<void> {
  await writeUnlessThere(path.join(userDirectory, 'package.json'), '{ "private": true }\n');
}

async function writeUnlessThere(file: string, text: string): Promise<void> {
  if ((await readFileIfAny(file)) === undefined) await writeFileAtomically(file, text);
}
