import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readdir } from 'node:fs/promises';
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

/** The key of the flows' credentials: `HILUM_CREDENTIAL_SECRET`, else one made once and kept (mode 0600). */
export async function readCredentialSecret(settings: Settings): Promise<string> {
  const given = settings.environment['HILUM_CREDENTIAL_SECRET'];
  if (given) return given;
  const file = path.join(settings.dataDirectory, 'credential-secret');
  const kept = await readFileIfAny(file);
  if (kept !== undefined) return kept.trim();
  const made = randomBytes(32).toString('base64url');
  await writeFileAtomically(file, `${made}\n`);
  return made;
}
