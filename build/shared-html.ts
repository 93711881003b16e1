import { readFile } from 'node:fs/promises';
import path from 'node:path';

const marker = /^([ \t]*)<!-- shared: ([a-z-]+) -->$/gm;

/**
 * A node's form or help with the parts that it shares with others: `<!-- shared: NAME -->` on a line of its own stands for
 * the file NAME.html of the folder, at that indentation. Rejects where there is no such file.
 */
export async function fillInShared(file: string, folder: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  const names = new Set([...text.matchAll(marker)].map(([, , name = '']) => name));
  const parts = new Map<string, string>();
  for (const name of names) parts.set(name, await readPart(name, { file, folder }));
  return text.replace(marker, (_line, indentation: string, name: string) =>
    (parts.get(name) ?? '').trimEnd().replace(/^(?=.)/gm, indentation),
  );
}

async function readPart(
  name: string,
  { file, folder }: { readonly file: string; readonly folder: string },
): Promise<string> {
  const part = path.join(folder, `${name}.html`);
  try {
    return await readFile(part, 'utf8');
  } catch (cause) {
    throw new Error(`${file} expects the shared part "${name}"; ${part} cannot be read.`, {
      cause,
    });
  }
}
