import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();

/** Makes an empty folder (mode 0700), removed when the test file has run. */
export function makeTempFolder(label = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `hilum-${label}-`));
  folders.add(folder);
  return folder;
}

function removeTempFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.clear();
}

if (typeof afterAll === 'function') afterAll(removeTempFolders);
