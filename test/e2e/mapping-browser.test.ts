import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { FlowNode } from '../../core/interface.ts';
import { openEditor } from '../support/browser.ts';
import { writeFlows } from '../support/flow-files.ts';
import { startHilum, type RunningHilum } from '../support/hilum.ts';
import { describeWith } from '../support/programs.ts';
import { makeTempFolder } from '../support/temp.ts';

/** `HILUM_SCREENSHOTS=FOLDER npx jest mapping-browser` keeps the pictures. */
const pictures = path.resolve(process.env['HILUM_SCREENSHOTS'] ?? makeTempFolder('pictures'));

const root = path.resolve(import.meta.dirname, '..', '..');
const sample = readFileSync(path.join(root, 'samples', 'adt-a01.hl7'), 'utf8');

const at = (y: number) => ({ x: 300, y, wires: [[]] });
const flow: readonly FlowNode[] = [
  { id: 'map', type: 'hl7 map', name: '', mapping: '', unconsumed: 'ignore', ...at(100) },
  {
    ...{ id: 'code', type: 'code translate', name: '', table: 'administrative-gender' },
    ...{ layers: '', source: 'v2', from: 'PID-8', to: '', onUnmapped: '', ...at(180) },
  },
  {
    ...{ id: 'back', type: 'fhir map', name: '', event: '', layers: '', version: '' },
    ...{ sendingApplication: '', sendingFacility: '', receivingApplication: '' },
    ...{ receivingFacility: '', unconsumed: 'ignore', ...at(340) },
  },
  { id: 'check', type: 'fhir validate', name: '', ...at(260), wires: [[], []] },
];

// Deploys start workers, each of which compiles all maps.
jest.setTimeout(180_000);

describeWith('chromium', 'mappings as the editor shows them', (executablePath) => {
  let hilum: RunningHilum;
  let browser: Browser | undefined;
  let page: Page;
  const problems: string[] = [];
  const mappings = path.join(makeTempFolder('mappings'), 'mappings');
  const layerFile = path.join(mappings, 'layers', 'ward', 'PID.Patient.map.yaml');
  const writeLayer = (...rules: readonly string[]): void => {
    const head = [
      'kind: SegmentMap',
      'id: PID.Patient@ward',
      'extends: PID.Patient',
      'layer: ward',
    ];
    writeFileSync(
      layerFile,
      [...head, 'rules:', ...rules.map((rule) => `  - ${rule}`), ''].join('\n'),
    );
  };

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    cpSync(path.join(root, 'mappings'), mappings, { recursive: true });
    mkdirSync(path.dirname(layerFile), { recursive: true });
    writeLayer('{ id: PID-7.birth-date, override: disable }');
    const env = { HILUM_FLOWS: writeFlows({ maps: flow }), HILUM_MAPPINGS: mappings };
    hilum = await startHilum({ ...env, HILUM_DEMO: 'off' });
    ({ browser, page } = await openEditor(hilum, {
      ...{ executablePath, tab: 'maps', height: 1000, timeoutMs: 60_000 },
      onError: (message) => problems.push(message),
    }));
    await page.locator('[id="map"]').waitFor();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await hilum.stop();
  }, 60_000);

  const takePicture = (name: string) =>
    page.screenshot({ path: path.join(pictures, `${name}.png`), animations: 'disabled' });
  const edit = (id: string) =>
    page.evaluate((node) => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { node(id: string): object }; editor: { edit(node: object): void } };
      };
      RED.editor.edit(RED.nodes.node(node));
    }, id);
  const close = async (button: 'ok' | 'cancel') => {
    await page.locator(`#node-dialog-${button}`).click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  };
  const deploy = () => page.locator('#red-ui-header-button-deploy').click();
  const notice = (text: string | RegExp) =>
    page.locator('.red-ui-notification', { hasText: text }).first().waitFor();

  it('offers the maps and layers that are installed, and pins the version of now', async () => {
    await edit('map');
    await page.locator('optgroup[label="ADT_A01"]').waitFor({ state: 'attached' });
    await page.locator('#node-input-mapping').selectOption('ADT^A01');
    await page.getByRole('button', { name: 'ward' }).click();
    expect(await page.locator('#node-input-layers').inputValue()).toBe('ward');
    await page.locator('.hilum-mapping-layer[aria-pressed=true]').waitFor();
    await page.getByRole('button', { name: 'Pin the version of now' }).click();
    await page.getByText('It is the version of now.').waitFor();
  });

  it('tries a pasted message, and says of each element which field and rule it is from', async () => {
    await page.locator('summary', { hasText: 'Try it with a message' }).click();
    const message = page.getByLabel('An HL7 v2 message');
    await message.fill(sample.replaceAll('\r', '\n'));
    await page.getByRole('button', { name: 'Map it' }).click();
    const gender = page.locator('.hilum-try-line', { hasText: '"gender": "female"' });
    await gender.scrollIntoViewIfNeeded();
    await gender.hover();
    await page.getByText('PID-8[1] by PID.Patient#PID-8.gender').waitFor();
    // The layer takes it away; without a rule it is left over.
    expect(await page.locator('.hilum-try-bundle').innerText()).not.toContain('birthDate');
    await page.getByRole('button', { name: 'PID-7', exact: true }).waitFor();
    await takePicture('mapping-try');
    await gender.click();
    const marked = await message.evaluate((area: HTMLTextAreaElement) =>
      area.value.slice(area.selectionStart, area.selectionEnd),
    );
    expect(marked).toBe('F');
    await message.fill('This is none.');
    await page.getByRole('button', { name: 'Map it' }).click();
    await page.getByText('Nothing comes of it').waitFor();
    await close('ok');
    await deploy();
    await notice('Successfully deployed');
  });

  it('refuses a deploy where a rule is another than the pinned version had', async () => {
    writeLayer(
      '{ id: PID-7.birth-date, override: disable }',
      '{ id: PID-8.gender, override: disable }',
    );
    await page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { node(id: string): { changed: boolean }; dirty(on: boolean): void } };
      };
      RED.nodes.node('map').changed = true;
      RED.nodes.dirty(true);
    });
    await deploy();
    await notice(/pin: expected the map for ADT\^A01 in the version [0-9a-f]{16}, found/);
    await edit('map');
    await page.getByText('Another version is there now').waitFor();
    await takePicture('mapping-pin');
    await page.getByRole('button', { name: 'Pin the version of now' }).click();
    await close('ok');
    await deploy();
    await notice('Successfully deployed');
  });

  it('offers tables to translate by, and says what a path must look like', async () => {
    await edit('code');
    const table = page.locator('#node-input-table');
    await page
      .locator('#node-input-table option[value="marital-status"]')
      .waitFor({ state: 'attached' });
    expect(await table.inputValue()).toBe('administrative-gender');
    await takePicture('code-translate');
    await page.locator('#node-input-source').selectOption('fhir');
    expect(await page.locator('#node-input-to').isVisible()).toBe(false);
    await close('ok');
    await deploy();
    await notice('from: expected a resource type and its elements such as Observation.code');
    await edit('check');
    await takePicture('fhir-validate');
    await close('cancel');
  });

  it('offers the messages that are made of FHIR', async () => {
    await edit('back');
    await page.locator('#node-input-event option[value="ORU^R01"]').waitFor({ state: 'attached' });
    await page.locator('#node-input-event').selectOption('ORU^R01');
    await page.locator('#node-input-sendingApplication').fill('EHR');
    await takePicture('fhir-map');
    await page.locator('summary', { hasText: 'Try it with a message' }).click();
    await page
      .getByLabel('A FHIR resource as JSON')
      .fill('{"resourceType":"Patient","active":true}');
    await page.locator('#node-input-map').selectOption('acme-patient');
    expect(await page.locator('#node-input-event').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Map it' }).click();
    await page.locator('.hilum-try-line', { hasText: 'acme.example' }).first().waitFor();
    await page.locator('#node-input-map').selectOption('');
    await close('ok');
    await page.locator('.red-ui-flow-node-label-text', { hasText: 'fhir map ORU^R01' }).waitFor();
  });

  it('has no errors', () => {
    expect(problems).toEqual([]);
  });
});
