import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Report } from './stock-node-red.ts';
import { makeTempFolder } from '../support/temp.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

const types = [
  'code translate',
  'fhir map',
  'fhir out',
  'fhir validate',
  'hl7 batch',
  'hl7 edit',
  'hl7 map',
  'hl7 reply',
  'hl7 route',
  'hl7 validate',
  'mllp in',
  'mllp out',
  'queue in',
  'queue out',
  'reject',
];

/** A folder that stands for the package, so that the real `dist` stays as it is. */
function makePackage(): { readonly output: string; readonly userDir: string } {
  const folder = makeTempFolder('nodes-build');
  for (const name of ['node_modules', 'mappings']) {
    symlinkSync(path.join(root, name), path.join(folder, name));
  }
  const userDir = path.join(folder, 'user');
  mkdirSync(userDir);
  return { output: path.join(folder, 'dist', 'nodes'), userDir };
}

/** In a process of its own: the build imports TypeScript, which Jest's sandbox does not do as Node does. */
async function build(output: string): Promise<number> {
  const script = `const { buildNodes } = await import(${JSON.stringify(path.join(root, 'build/nodes.ts'))});
    console.log((await buildNodes(${JSON.stringify(output)})).milliseconds);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  return Number(stdout);
}

describe('the built nodes', () => {
  let report: Report;
  let output: string;
  let milliseconds: number;

  beforeAll(async () => {
    const folder = makePackage();
    output = folder.output;
    milliseconds = await build(output);
    const script = path.join(import.meta.dirname, 'stock-node-red.ts');
    const flow = path.join(root, 'flows/lab-results.json');
    const { stdout } = await run(process.execPath, [script, output, folder.userDir, flow], {
      maxBuffer: 64 * 1024 * 1024,
    });
    report = JSON.parse(stdout) as Report;
  });

  it('are built in seconds, not minutes', () => {
    expect(milliseconds).toBeLessThan(10_000);
  });

  it('all load in a real Node-RED, one type each', () => {
    expect(report.nodes.filter(({ error }) => error !== '')).toEqual([]);
    expect(
      report.nodes
        .map((node) => node.types)
        .flat()
        .sort(),
    ).toEqual([...types, 'switch']);
    expect(report.nodes).toHaveLength(types.length + 1);
  });

  it('are all that the flow for lab results needs', () => {
    expect(report.missing).toEqual([]);
    expect(report.started).toBe(true);
  });

  it('say in plain words what a stock Node-RED lacks', () => {
    const missing = 'needs the Hilum runtime';
    expect(report.statuses).toEqual({
      'lab-results-mllp': missing,
      'lab-results-ehr': missing,
      'lab-results-event': missing,
    });
  });

  it.each(types)('bring for %s a form, help, and every text that they name', (type) => {
    const name = type.replace(' ', '-');
    const html = readFileSync(path.join(output, name, `${name}.html`), 'utf8');
    expect(report.html).toContain(`data-template-name="${type}"`);
    expect(html).toMatch(new RegExp(`data-help-name="${type}"[^>]*>\\s*<p>\\S`));
    const catalog = report.catalogs[`hilum/${name}`] ?? {};
    expect(findTexts(name, html).filter((key) => typeof lookUp(catalog, key) !== 'string')).toEqual(
      [],
    );
  });

  it('have in forms and help the parts that they share', () => {
    const read = (name: string): string =>
      readFileSync(path.join(output, name, `${name}.html`), 'utf8');
    for (const name of types.map((type) => type.replace(' ', '-'))) {
      expect(read(name)).not.toContain('<!-- shared:');
      expect(read(name)).toContain('id="node-input-name"');
    }
    for (const name of ['fhir-out', 'mllp-out']) {
      expect(read(name)).toContain('id="node-input-retryFirstSeconds"');
      expect(read(name)).toContain('<b>Repetition</b>');
    }
  });

  it('are not built where a shared part is missing, and say which', async () => {
    const file = path.join(makeTempFolder('form'), 'editor.html');
    writeFileSync(file, '<p></p>\n  <!-- shared: no-such-part -->\n');
    const script = `const { fillInShared } = await import(${JSON.stringify(path.join(root, 'build/shared-html.ts'))});
      await fillInShared(${JSON.stringify(file)}, ${JSON.stringify(path.join(root, 'nodes/editor/forms'))});`;
    await expect(run(process.execPath, ['--input-type=module', '-e', script])).rejects.toThrow(
      /editor\.html expects the shared part "no-such-part"/,
    );
  });

  it('bring for the switch what Node-RED has for its own, in every language', () => {
    const html = readFileSync(path.join(output, 'switch', 'switch.html'), 'utf8');
    expect(html).toContain('Licensed under the Apache License');
    expect(report.html).toContain('data-template-name="switch"');
    const texts = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"|this\._\("([^"]+)"\)/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    expect(texts.length).toBeGreaterThan(5);
    const catalog = report.catalogs['hilum/switch'] ?? {};
    expect(texts.filter((key) => typeof lookUp(catalog, key) !== 'string')).toEqual([]);
    const languages = readdirSync(path.join(output, 'switch', 'locales'));
    expect(languages).toEqual(expect.arrayContaining(['de', 'en-US', 'fr', 'ja']));
    for (const language of languages) {
      const folder = path.join(output, 'switch', 'locales', language);
      expect(readdirSync(folder).sort()).toEqual(['switch.html', 'switch.json']);
    }
  });

  it('bring examples of nodes that exist, which import into the editor', () => {
    const folder = path.join(root, 'nodes/examples');
    const names = readdirSync(folder).map((file) => path.basename(file, '.json'));
    expect(report.examples).toEqual(names.sort());
    const core = ['tab', 'inject', 'debug'];
    for (const name of names) {
      const flow = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as {
        id: string;
        type: string;
        wires?: string[][];
      }[];
      expect(
        flow.map((node) => node.type).filter((type) => ![...core, ...types].includes(type)),
      ).toEqual([]);
      const ids = flow.map(({ id }) => id);
      expect(
        flow.flatMap(({ wires = [] }) => wires.flat()).filter((id) => !ids.includes(id)),
      ).toEqual([]);
    }
  });
});

/** The keys of texts that the node's built form and its code name literally; Node-RED's own have a prefix. */
function findTexts(name: string, form: string): readonly string[] {
  const folder = path.join(root, 'nodes', name);
  const code = ['editor.ts', 'runtime.ts']
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
  const inForm = [...form.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)];
  const inCode = [...code.matchAll(/\b_\(\s*'([^']+)'/g)];
  return [...inForm, ...inCode]
    .map((match) => match[1] ?? '')
    .filter((key) => !key.startsWith('node-red:'));
}

function lookUp(catalog: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>(
      (place, part) => (place as Record<string, unknown> | undefined)?.[part],
      catalog,
    );
}
