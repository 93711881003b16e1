import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const nodeRed = createRequire(createRequire(import.meta.url).resolve('node-red'));
const coreNodes = path.dirname(nodeRed.resolve('@node-red/nodes/package.json'));

/**
 * The editor's part of a node that runs one of Node-RED's own (`function/10-switch`): form, texts and help
 * as the installed package has them, in all its languages and with its notices.
 */
export async function adoptCoreNode(name: string, coreNode: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(
    path.join(coreNodes, 'core', `${coreNode}.html`),
    path.join(folder, `${name}.html`),
  );
  const locales = path.join(coreNodes, 'locales');
  for (const language of await readdir(locales)) {
    const target = path.join(folder, 'locales', language);
    await mkdir(target, { recursive: true });
    const catalog = await readFile(path.join(locales, language, 'messages.json'), 'utf8');
    const texts = JSON.parse(catalog) as Readonly<Record<string, unknown>>;
    await Promise.all([
      writeFile(
        path.join(target, `${name}.json`),
        JSON.stringify({ common: texts['common'], [name]: texts[name] }),
      ),
      copyFile(path.join(locales, language, `${coreNode}.html`), path.join(target, `${name}.html`)),
    ]);
  }
}
