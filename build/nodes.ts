import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { adoptCoreNode } from './core-node.ts';
import { fillInShared } from './shared-html.ts';

const packageDirectory = path.resolve(import.meta.dirname, '..');
const sources = path.join(packageDirectory, 'nodes');
/** What all nodes have in common in the editor. */
const common = path.join(sources, 'editor');

interface BuiltNodes {
  readonly names: readonly string[];
  readonly milliseconds: number;
}

/**
 * Builds the Node-RED nodes into one package: `<output>/<name>/<name>.{js,html}`, with their catalogs
 * beside them, and the examples. Node-RED cannot load TypeScript, and finds the editor's part by the name
 * of the runtime's (`.js` to `.html`).
 */
export async function buildNodes(
  output = path.join(packageDirectory, 'dist', 'nodes'),
): Promise<BuiltNodes> {
  const startedAt = performance.now();
  await rm(output, { recursive: true, force: true });
  const names = await findNodes();
  const [editors] = await Promise.all([bundleEditors(names), bundleRuntimes(names, output)]);
  await Promise.all([
    ...names.map((name) => writeNode(name, editors.get(name) ?? '', output)),
    writePackage(names, output),
    cp(path.join(sources, 'examples'), path.join(output, 'examples'), { recursive: true }),
  ]);
  return { names, milliseconds: Math.round(performance.now() - startedAt) };
}

async function findNodes(): Promise<readonly string[]> {
  const entries = await readdir(sources, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name === 'runtime.ts')
    .map((entry) => path.basename(entry.parentPath))
    .sort();
}

/** One file a node, what they share in chunks: one copy of a mapping or a dictionary in a process. */
async function bundleRuntimes(names: readonly string[], output: string): Promise<void> {
  await build({
    entryPoints: names.map((name) => ({
      in: path.join(sources, name, 'runtime.ts'),
      out: `${name}/${name}`,
    })),
    outdir: output,
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node22',
    format: 'esm',
    sourcemap: true,
    logLevel: 'warning',
  });
}

async function bundleEditors(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const entryPoints = names
    .map((name) => ({ in: path.join(sources, name, 'editor.ts'), out: name }))
    .filter((entry) => existsSync(entry.in));
  const { outputFiles } = await build({
    entryPoints,
    outdir: '.',
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    charset: 'utf8',
    write: false,
    logLevel: 'warning',
  });
  return new Map(outputFiles.map(({ path: file, text }) => [path.basename(file, '.js'), text]));
}

async function writeNode(name: string, editor: string, output: string): Promise<void> {
  const source = path.join(sources, name);
  const definition = pathToFileURL(path.join(source, 'definition.ts')).href;
  const { type, coreNode } = (await import(definition)) as {
    readonly type: string;
    readonly coreNode?: string;
  };
  if (coreNode !== undefined) {
    await adoptCoreNode(name, coreNode, path.join(output, name));
    return;
  }
  const form = await fillInShared(path.join(source, 'editor.html'), path.join(common, 'forms'));
  const languages = await readdir(path.join(source, 'locales'));
  const help = await Promise.all(
    languages.map(async (language) => {
      const folder = path.join('locales', language);
      const own = path.join(source, folder, 'help.html');
      const text = await fillInShared(own, path.join(common, folder, 'help'));
      return script(`text/html" data-help-name="${type}" data-lang="${language}`, text);
    }),
  );
  const parts = [
    script('text/javascript', editor),
    script(`text/html" data-template-name="${type}`, form),
    ...help,
  ];
  await mkdir(path.join(output, name), { recursive: true });
  await Promise.all([
    writeFile(path.join(output, name, `${name}.html`), parts.join('')),
    ...languages.map((language) => writeCatalog(name, language, output)),
    copyIcons(source, path.join(output, name)),
  ]);
}

function script(type: string, content: string): string {
  return `<script type="${type}">\n${content.trim()}\n</script>\n\n`;
}

/** The node's texts and those that all nodes share, as one catalog: Node-RED knows one a node. */
async function writeCatalog(name: string, language: string, output: string): Promise<void> {
  const own = path.join(sources, name, 'locales', language, `${name}.json`);
  const shared = path.join(common, 'locales', language, 'common.json');
  const [texts, sharedTexts] = await Promise.all([readJson(own), readJson(shared)]);
  const folder = path.join(output, name, 'locales', language);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${name}.json`), JSON.stringify({ ...sharedTexts, ...texts }));
}

async function readJson(file: string): Promise<object> {
  return JSON.parse(await readFile(file, 'utf8')) as object;
}

async function copyIcons(source: string, target: string): Promise<void> {
  const folders = await readdir(source);
  if (!folders.includes('icons')) return;
  await cp(path.join(source, 'icons'), path.join(target, 'icons'), { recursive: true });
}

/** The folder is a Node-RED package of its own: only a package's nodes may bring catalogs and examples. */
async function writePackage(names: readonly string[], output: string): Promise<void> {
  const file = path.join(packageDirectory, 'package.json');
  const { name, version } = (await readJson(file)) as Record<'name' | 'version', string>;
  const nodes = Object.fromEntries(names.map((node) => [node, `${node}/${node}.js`]));
  await mkdir(output, { recursive: true });
  await writeFile(
    path.join(output, 'package.json'),
    JSON.stringify({ name, version, type: 'module', 'node-red': { nodes } }, null, 2),
  );
}
