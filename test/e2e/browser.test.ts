import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openPage } from '../support/browser.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { describeWith } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp.ts';

/** `HILUM_SCREENSHOTS=docs/images npx jest browser` renews the pictures of the README. */
const pictures = path.resolve(process.env['HILUM_SCREENSHOTS'] ?? makeTempFolder('pictures'));
const user = { name: 'admin', password: 'correct horse battery' };

describeWith('chromium', 'editor and console in a browser', (executablePath) => {
  let hilum: RunningHilum;
  let browser: Browser | undefined;
  let page: Page;
  const problems: string[] = [];
  const foreignHosts = new Set<string>();

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    hilum = await startHilum({ HILUM_ALARM_EVERY: '1s' });
    ({ browser, page } = await openPage({
      ...{ executablePath, height: 860, timeoutMs: 30_000 },
      onError: (message) => problems.push(message),
    }));
    // The editor asks whether to leave an edit that is not deployed.
    page.on('dialog', (dialog) => void dialog.accept());
    page.on('request', (request) => {
      const { hostname } = new URL(request.url());
      if (hostname !== '127.0.0.1' && hostname !== '') foreignHosts.add(hostname);
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await hilum.stop();
  }, 60_000);

  async function takePicture(name: string): Promise<void> {
    await page.screenshot({ path: path.join(pictures, `${name}.png`), animations: 'disabled' });
  }

  async function drag(on: Page, node: string, by: { x: number; y: number }): Promise<void> {
    const box = await on.locator(node).boundingBox();
    if (box === null) throw new Error(`${node} is not on the page`);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await on.mouse.move(x, y);
    await on.mouse.down();
    await on.mouse.move(x + by.x, y + by.y, { steps: 8 });
    await on.mouse.up();
  }

  it('shows the editor to nobody who is not signed in', async () => {
    const response = await page.goto(`${hilum.consoleUrl}/editor/`);
    expect(response?.url()).toContain('/login');
    const flows = await fetch(`${hilum.consoleUrl}/editor/flows`);
    expect(flows.status).toBe(401);
  });

  it('makes the first administrator through the setup link', async () => {
    const link = /http:\S+\/setup\S*/.exec(hilum.output())?.[0] ?? '';
    await page.goto(link);
    await page.getByLabel('User name').fill(user.name);
    await page.getByLabel('Password', { exact: true }).fill(user.password);
    await page.getByLabel('Password again').fill(user.password);
    await page.getByRole('button', { name: /create|set up|make/i }).click();
    await page.getByRole('heading', { name: 'Queues' }).waitFor();
  });

  it('opens the editor on the lab results flow and deploys an edit of it', async () => {
    await page.goto(`${hilum.consoleUrl}/editor/`);
    await page.locator('.red-ui-tab-label', { hasText: 'Lab results' }).waitFor();
    for (const id of ['mllp', 'validate', 'map', 'ehr', 'event']) {
      await page.locator(`[id="lab-results-${id}"]`).waitFor();
    }
    const { processes } = await hilum.status();
    const before = processes.find(({ role }) => role === 'worker default');
    await drag(page, '[id="lab-results-map"]', { x: 0, y: -20 });
    await page.locator('#red-ui-header-button-deploy').click();
    await page.locator('.red-ui-notification', { hasText: 'Successfully deployed' }).waitFor();
    // Where a node is drawn runs nowhere: the worker stays.
    const { processes: now } = await hilum.status();
    expect(now.find(({ role }) => role === 'worker default')?.pid).toBe(before?.pid);
    const partner = await MllpPartner.connect(hilum.mllpPort);
    const answer = await partner.send(buildLabResult({ index: 1, patient: 1 }));
    partner.close();
    expect(readAnswer(answer)).toBe(`AA ${controlIdOf(1)}`);
  });

  it('shows the status that a node has in its worker', async () => {
    const status = page.locator('[id="lab-results-mllp"] .red-ui-flow-node-status-label');
    await status.filter({ hasText: '1' }).waitFor();
    await page.locator('.red-ui-notification').waitFor({ state: 'detached' });
    await page.locator('#red-ui-workspace-chart').click({ position: { x: 400, y: 500 } });
    await takePicture('editor');
  });

  it('lets an analyst edit messages in the flow, as the list in the dialog says', async () => {
    await page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: {
          nodes: {
            import(nodes: readonly object[]): void;
            node(id: string): { wires: string[][] };
            eachLink(
              visit: (link: { source: { id: string }; target: { id: string } }) => void,
            ): void;
            removeLink(link: object): void;
            addLink(link: object): void;
          };
          view: { redraw(whole: boolean): void };
          editor: { edit(node: object): void };
        };
      };
      const edits = [{ action: 'set', path: '', source: 'text', value: '' }];
      RED.nodes.import([
        {
          id: 'an-edit',
          type: 'hl7 edit',
          z: 'lab-results',
          name: '',
          edits,
          missing: 'fail',
          x: 330,
          y: 240,
          wires: [[]],
        },
      ]);
      // In front of the mapping, as if its wire had been dropped on it.
      const links: { source: { id: string }; target: { id: string } }[] = [];
      RED.nodes.eachLink((link) => links.push(link));
      for (const link of links.filter(({ target }) => target.id === 'lab-results-map')) {
        RED.nodes.removeLink(link);
        RED.nodes.addLink({ ...link, target: RED.nodes.node('an-edit') });
        RED.nodes.addLink({
          source: RED.nodes.node('an-edit'),
          sourcePort: 0,
          target: link.target,
        });
      }
      RED.view.redraw(true);
      RED.editor.edit(RED.nodes.node('an-edit'));
    });
    const path = page.locator('.hl7-edit-path');
    await path.fill('PID-5.1');
    await page.locator('.hl7-edit-value').fill('Edited & escaped');
    await page.locator('#node-dialog-ok').click();
    await path.waitFor({ state: 'detached' });
    await page.locator('#red-ui-header-button-deploy').click();
    await page.locator('.red-ui-notification', { hasText: 'Successfully deployed' }).waitFor();
    const partner = await MllpPartner.connect(hilum.mllpPort);
    await partner.send(buildLabResult({ index: 9, patient: 9 }));
    partner.close();
    await until(
      async () =>
        (await fetch(`${hilum.ehrUrl}/Patient?family=Edited`)).json() as Promise<{ total: number }>,
      ({ total }) => total === 1,
      15_000,
    );
  });

  it('asks a sender for what its order leaves to choose', async () => {
    await page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { node(id: string): object }; editor: { edit(node: object): void } };
      };
      RED.editor.edit(RED.nodes.node('lab-results-ehr'));
    });
    for (const group of ['Order', 'Repetition']) {
      await page.locator('.red-ui-tray summary', { hasText: group }).click();
    }
    const order = page.locator('#node-input-order');
    const atATime = page.locator('#node-input-concurrency');
    // The flow was made before senders had an order: one at a time.
    expect(await order.inputValue()).toBe('queue');
    expect(await page.locator('#node-input-retryAmbiguous').inputValue()).toBe('10');
    expect(await atATime.isVisible()).toBe(false);
    await order.selectOption('key');
    await atATime.fill('4');
    await takePicture('sender');
    await order.selectOption('none');
    expect(await page.locator('#node-input-onFailure').isVisible()).toBe(false);
    await order.selectOption('queue');
    expect(await atATime.inputValue()).toBe('1');
    await page.locator('#node-dialog-cancel').click();
    await order.waitFor({ state: 'detached' });
  });

  it('refuses a deploy whose listener has no port, and says so', async () => {
    await page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: {
          nodes: { node(id: string): { port: string; changed: boolean }; dirty(on: boolean): void };
        };
      };
      const node = RED.nodes.node('lab-results-mllp');
      node.port = 'none';
      node.changed = true;
      RED.nodes.dirty(true);
    });
    await page.locator('#red-ui-header-button-deploy').click();
    await page
      .locator('.red-ui-notification', { hasText: 'Laboratory": port: expected a port number' })
      .waitFor();
    const partner = await MllpPartner.connect(hilum.mllpPort);
    const answer = await partner.send(buildLabResult({ index: 2, patient: 2 }));
    partner.close();
    expect(readAnswer(answer)).toBe(`AA ${controlIdOf(2)}`);
  });

  it('shows queues, messages and the steps of one in the console', async () => {
    await page.goto(`${hilum.consoleUrl}/`);
    const row = page
      .getByRole('row', { name: new RegExp(controlIdOf(1)) })
      .filter({ hasNotText: '↳' });
    await row.waitFor();
    await takePicture('console');
    await row.click();
    const steps = page.getByRole('dialog').getByText('200 OK').first();
    await steps.waitFor();
    await takePicture('message');
  });

  it('shows the alarms that stand, and the messages behind one', async () => {
    await page.goto(`${hilum.consoleUrl}/`);
    const alarm = page.getByRole('alert').filter({ hasText: 'Alarm:' });
    await page.getByText('No alarm stands').waitFor();
    const partner = await MllpPartner.connect(hilum.mllpPort);
    await partner.send(buildLabResult({ index: 3, patient: 3 }).replace(/PID\|.*\r/, ''));
    partner.close();
    await alarm.filter({ hasText: 'dead letters: 1 (limit 1). Since' }).waitFor();
    // The alarm alone tells of them.
    expect(await page.getByText('given up in').count()).toBe(0);
    await takePicture('alarm');
    await alarm.getByRole('button', { name: 'Show them' }).click();
    await page.getByRole('row', { name: new RegExp(controlIdOf(3)) }).waitFor();
    expect(await page.getByRole('row', { name: new RegExp(controlIdOf(1)) }).count()).toBe(0);
  });

  it('asks no other host for anything and has no errors', () => {
    expect([...foreignHosts]).toEqual([]);
    expect(problems).toEqual([]);
  });
});
