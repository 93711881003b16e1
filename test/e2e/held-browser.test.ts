import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openConsole } from '../support/browser.ts';
import { mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';
import { describeWith } from '../support/programs.ts';
import { writeMappings } from '../support/small-mappings.ts';
import { makeTempFolder } from '../support/temp.ts';

/** `HILUM_SCREENSHOTS=FOLDER npx jest held-browser` keeps the pictures. */
const pictures = path.resolve(process.env['HILUM_SCREENSHOTS'] ?? makeTempFolder('pictures'));

describeWith('chromium', 'unmapped codes in the console', (executablePath) => {
  let hilum: RunningHilum;
  let partner: Awaited<ReturnType<typeof openPartner>>;
  let browser: Browser | undefined;
  let page: Page;
  let port = 0;
  const problems: string[] = [];

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    partner = await openPartner(true);
    [port = 0] = await findFreePorts(1);
    const mappings = path.join(makeTempFolder('held'), 'mappings');
    writeMappings(mappings);
    const flow = [
      mllpIn('lab-in', port, 'lab-code'),
      {
        ...{ id: 'lab-code', type: 'code translate', name: '', table: 'sex', layers: 'acme' },
        ...{ source: 'v2', from: 'PID-8', to: '', onUnmapped: 'hold', wires: [['lab-out']] },
      },
      mllpOut('lab-out', partner.port),
    ];
    const env = { HILUM_FLOWS: writeFlows({ lab: flow }), HILUM_MAPPINGS: mappings };
    hilum = await startHilum({ ...env, HILUM_DEMO: 'off' });
    ({ browser, page } = await openConsole(hilum, {
      ...{ executablePath, height: 1000, timeoutMs: 60_000 },
      onError: (message) => problems.push(message),
    }));
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await hilum.stop();
    partner.close();
  }, 60_000);

  const build = (index: number, sex: string): string =>
    buildLabResult({ index, patient: index }).replace(/\|19700101\|[FM]\r/, `|19700101|${sex}\r`);
  const table = () => page.getByRole('table', { name: 'Unmapped codes' });

  it('shows each with where to add it, and leads to its messages by the keyboard', async () => {
    expect(await page.getByRole('heading', { name: 'Unmapped codes' }).count()).toBe(0);
    await send(port, build(1, 'X'));
    await send(port, build(2, 'see Mrs Example'));
    const row = table().getByRole('row', { name: /^X / });
    await row.getByText('layers/acme/sex.csv').waitFor();
    await row.getByText('X,TARGET').waitFor();
    const attention = page
      .getByRole('alert')
      .filter({ hasText: '2 messages held for 2 codes that no table has' });
    await attention.waitFor();
    await table().getByText('A text, not shown').waitFor();
    expect(await page.getByText('Mrs Example').count()).toBe(0);
    await page.screenshot({ path: path.join(pictures, 'unmapped.png'), animations: 'disabled' });
    await row.getByRole('button', { name: 'Message 1 that waits for X' }).press('Enter');
    await page.getByRole('dialog').getByText(controlIdOf(1)).first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  }, 120_000);

  it('gives the messages of one up when somebody confirms it', async () => {
    await table().getByRole('button', { name: 'Give up: messages that wait for X' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'Give these messages up?' }).waitFor();
    await dialog.getByRole('button', { name: 'Give up' }).click();
    await table().getByRole('row', { name: /^X / }).waitFor({ state: 'hidden' });
    expect(await hilum.kinds(controlIdOf(1))).toContain('dead-lettered');
    expect((await hilum.cli('trace', controlIdOf(1))).stdout).toContain('by admin');
    expect(problems).toEqual([]);
  }, 120_000);

  it('shows the first of many codes, all when asked, and who has decided about one', async () => {
    for (let at = 0; at < 12; at += 1) await send(port, build(10 + at, `Q${at}`));
    await page.getByRole('button', { name: 'Show 13' }).waitFor();
    const rows = () => table().getByRole('row').count();
    expect(await rows()).toBe(1 + 10);
    await page.getByRole('button', { name: 'Show 13' }).press('Enter');
    await page.getByRole('button', { name: 'Show the first 10' }).waitFor();
    expect(await rows()).toBe(1 + 13);
    // Paused, nothing is tried: what is decided waits.
    const [queue = ''] = ((await hilum.ask('GET', '/api/parked')).body as { queue: string }[]).map(
      (each) => each.queue,
    );
    expect(await hilum.cli('queues', 'pause', queue)).toMatchObject({ code: 0 });
    const again = 'Try again: messages that wait for Q3';
    await table().getByRole('button', { name: again, exact: true }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await table().getByText('Try again: decided by admin').waitFor();
    await page.screenshot({
      ...{ path: path.join(pictures, 'unmapped-many.png'), animations: 'disabled', fullPage: true },
    });
  }, 120_000);

  it('says that it cannot tell now, and shows what it knew', async () => {
    await page.route('**/api/mapping/unmapped*', (route) =>
      route.fulfill({ status: 503, json: {} }),
    );
    await page.getByText('The codes that messages wait for are not known now').waitFor();
    expect(await table().getByRole('row').count()).toBe(1 + 13);
    await page.screenshot({ path: path.join(pictures, 'unmapped-fault.png') });
    await page.unroute('**/api/mapping/unmapped*');
    await page
      .getByText('The codes that messages wait for are not known now')
      .waitFor({ state: 'hidden' });
  }, 120_000);
});
