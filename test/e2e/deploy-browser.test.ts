import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import type { FlowNode } from '../../core/interface.ts';
import { openEditor } from '../support/browser.ts';
import { functionNode, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { describeWith } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp.ts';

/** `HILUM_SCREENSHOTS=FOLDER npx jest deploy-browser` keeps the pictures. */
const pictures = path.resolve(process.env['HILUM_SCREENSHOTS'] ?? makeTempFolder('pictures'));

const inject = (id: string, to: string): FlowNode => ({
  ...{ id, type: 'inject', name: id, x: 140, y: 100, wires: [[to]] },
  ...{ props: [{ p: 'payload' }], payload: id.replace('-', '_'), payloadType: 'str', topic: '' },
  ...{ repeat: '', crontab: '', once: false, onceDelay: 0.1 },
});

const debug = (id: string, y: number): FlowNode => ({
  ...{ id, type: 'debug', name: id, x: 600, y, wires: [], active: true },
  ...{ tosidebar: true, console: false, tostatus: false, complete: 'payload', targetType: 'msg' },
  ...{ statusVal: '', statusType: 'auto' },
});

const count = `
  const count = (context.get('count') || 0) + 1;
  context.set('count', count);
  flow.set('last', 'of ' + msg.payload);
  global.set('by_' + msg.payload, { count });
  msg.payload = 'VERSION ' + count;
  return msg;`;

const place = (node: FlowNode): FlowNode => ({ ...node, x: 360, y: 100 });

describeWith('chromium', 'deploys as the editor shows them', (executablePath) => {
  let hilum: RunningHilum;
  let browser: Browser | undefined;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    const flows = writeFlows(
      {
        hot: [
          inject('hot-inject', 'hot-do'),
          place(functionNode('hot-do', count.replace('VERSION', 'first'), 'hot-debug')),
          debug('hot-debug', 100),
        ],
        cold: [
          inject('cold-inject', 'cold-do'),
          place(functionNode('cold-do', count.replace('VERSION', 'cold'), 'cold-debug')),
          debug('cold-debug', 100),
        ],
      },
      { hot: { HILUM_GROUP: 'hot' }, cold: { HILUM_GROUP: 'cold' } },
    );
    hilum = await startHilum({ HILUM_FLOWS: flows, HILUM_DEMO: 'off' });
    ({ browser, page } = await openEditor(hilum, {
      ...{ executablePath, tab: 'hot', height: 860, timeoutMs: 15_000 },
      onError: (message) => problems.push(message),
    }));
    await node('hot-do').waitFor();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await hilum.stop();
  }, 60_000);

  const node = (id: string): Locator => page.locator(`[id="${id}"]`);
  const press = (id: string) => node(id).locator('.red-ui-flow-node-button-button').click();
  const statusOf = (id: string): Locator => node(id).locator('.red-ui-flow-node-status-group');
  const takePicture = (name: string) =>
    page.screenshot({ path: path.join(pictures, `${name}.png`), animations: 'disabled' });

  /** What debug nodes have said so far, in the sidebar. */
  const said = (text: string): Locator =>
    page.locator('.red-ui-debug-msg', { hasText: new RegExp(`${text}(?!\\d)`) });

  /** Changes fields of a node as its dialog does. */
  const edit = (id: string, change: object) =>
    page.evaluate(
      ([which, fields]) => {
        const { RED } = globalThis as unknown as {
          RED: { nodes: { node(id: string): object; dirty(on: boolean): void } };
        };
        Object.assign(RED.nodes.node(which), fields, { changed: true, dirty: true });
        RED.nodes.dirty(true);
      },
      [id, change] as const,
    );

  /** Presses the button, and has the words with which it is answered shown. */
  async function deploy(words: string): Promise<void> {
    const answered = page.waitForResponse(
      (each) => each.request().method() === 'POST' && each.url().endsWith('/editor/flows'),
    );
    await page.locator('#red-ui-header-button-deploy').click();
    await answered;
    await page.locator('.red-ui-notification', { hasText: words }).last().waitFor();
    // They would cover the nodes.
    await page.evaluate(() => {
      for (const shown of document.querySelectorAll<HTMLElement>('.red-ui-notification')) {
        shown.style.display = 'none';
      }
    });
  }

  /** The process of each group's worker, when there is one for each. */
  const workers = () =>
    until(
      async () => {
        const { processes } = await hilum.status();
        const found = processes.filter(({ role }) => role.startsWith('worker'));
        return found.map(({ role, pid, state }) => ({ role, pid, state }));
      },
      (all) => all.length === 2 && all.every(({ state }) => state === 'running'),
      30_000,
    ).then((all) => Object.fromEntries(all.map(({ role, pid }) => [role, pid])));

  it('a node that is imported and an edit change the worker of their group alone', async () => {
    const before = await workers();
    await page.evaluate(
      (added) => {
        const { RED } = globalThis as unknown as {
          RED: {
            nodes: {
              import(nodes: readonly object[]): void;
              node(id: string): object;
              addLink(link: object): void;
            };
            view: { redraw(whole: boolean): void };
          };
        };
        RED.nodes.import([added]);
        const [source, target] = [RED.nodes.node('hot-do'), RED.nodes.node(added.id)];
        RED.nodes.addLink({ source, sourcePort: 0, target });
        RED.view.redraw(true);
      },
      { ...debug('hot-debug-2', 180), z: 'hot' },
    );
    await edit('hot-do', { func: count.replace('VERSION', 'second') });
    await deploy('Successfully deployed');
    const after = await until(workers, (now) => now['worker hot'] !== before['worker hot'], 30_000);
    expect(after['worker cold']).toBe(before['worker cold']);
  }, 60_000);

  it('a node that only moves changes none', async () => {
    const before = await workers();
    await edit('cold-do', { x: 380 });
    await deploy('Successfully deployed');
    expect(await workers()).toEqual(before);
  }, 60_000);

  it('a flow that does not start is refused, and the node says why until it does', async () => {
    const before = await workers();
    await edit('hot-do', { initialize: 'throw new Error("no table of wards");' });
    await deploy('no table of wards');
    const status = statusOf('hot-do');
    await status.filter({ hasText: 'no table of wards' }).waitFor();
    await takePicture('refused');
    expect(await status.locator('.red-ui-flow-node-status-ring-red').count()).toBe(1);
    expect(await workers()).toEqual(before);
    await edit('hot-do', { initialize: '' });
    await deploy('Successfully deployed');
    await status.filter({ hasText: 'no table of wards' }).waitFor({ state: 'hidden' });
  }, 60_000);

  it('inject and debug work, although the flow runs elsewhere', async () => {
    await page.evaluate(() => {
      (globalThis as unknown as { RED: { sidebar: { show(id: string): void } } }).RED.sidebar.show(
        'debug',
      );
    });
    await press('hot-inject');
    await until(
      () => said('second 1').count(),
      (shown) => shown === 2,
      10_000,
    );
    await takePicture('debug');
  }, 60_000);

  it('debug nodes are switched off and on where they run', async () => {
    const answered = (url: RegExp) => page.waitForResponse((each) => url.test(each.url()));
    const off = answered(/debug\/hot-debug\/disable/);
    await press('hot-debug');
    await off;
    await press('hot-inject');
    // The other node comes after it on the same wire.
    await until(
      () => said('second 2').count(),
      (shown) => shown === 1,
      10_000,
    );
    expect(await said('second 2').first().innerText()).toContain('hot-debug-2');
    const on = answered(/debug\/hot-debug\/enable/);
    await press('hot-debug');
    await on;
    await press('hot-inject');
    await until(
      () => said('second 3').count(),
      (shown) => shown === 2,
      10_000,
    );
  }, 60_000);

  it('the sidebar shows the context of the worker, and removes from it', async () => {
    await page.evaluate(() => {
      (globalThis as unknown as { RED: { sidebar: { show(id: string): void } } }).RED.sidebar.show(
        'context',
      );
    });
    await node('hot-do').click();
    const content = page.locator('.red-ui-sidebar-context-stack');
    const row = (key: string) =>
      content
        .locator('tr')
        .filter({ has: page.locator('.red-ui-sidebar-context-property', { hasText: key }) });
    const refresh = async () => {
      for (const button of await content.locator('.red-ui-palette-header .fa-refresh').all()) {
        await button.click();
      }
    };
    await refresh();
    await row('count').filter({ hasText: '3' }).waitFor();
    await row('last').filter({ hasText: 'of hot_inject' }).waitFor();
    await row('by_hot_inject').waitFor();
    await takePicture('context');
    const deleted = await page.evaluate(async () => {
      const removed = await fetch('context/flow/hot/last?store=default', { method: 'DELETE' });
      return removed.status;
    });
    expect(deleted).toBe(204);
    await refresh();
    await row('last').waitFor({ state: 'detached' });
  }, 60_000);

  it('has no errors in the page', () => {
    expect(problems).toEqual([]);
  });
});
