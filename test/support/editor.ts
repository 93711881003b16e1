import { chromium, type Browser, type Page } from 'playwright-core';
import type { RunningHilum } from './hilum.ts';

/** The editor in a browser, where the first administrator has logged in. */
export interface OpenEditor {
  readonly browser: Browser;
  readonly page: Page;
}

interface Options {
  readonly executablePath: string;
  /** The flow tab that is shown. */
  readonly tab: string;
  readonly height: number;
  /** How long the page may take for anything. */
  readonly timeoutMs: number;
  /** Told of every error that a script of the page does not catch. */
  readonly onError: (message: string) => void;
}

/** Makes the first administrator of a Hilum that was just started, and opens a tab of its editor; dialogs are agreed to. */
export async function openEditor(hilum: RunningHilum, options: Options): Promise<OpenEditor> {
  const { executablePath, tab, height, timeoutMs, onError } = options;
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  const page = await browser.newPage({ viewport: { width: 1400, height } });
  page.on('dialog', (dialog) => void dialog.accept());
  page.setDefaultTimeout(timeoutMs);
  page.on('pageerror', (error) => onError(error.message));
  await page.goto(/http:\S+\/setup\S*/.exec(hilum.output())?.[0] ?? '');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.getByLabel('Password again').fill('correct horse battery');
  await page.getByRole('button', { name: /create|set up|make/i }).click();
  await page.getByRole('heading', { name: 'Queues' }).waitFor();
  await page.goto(`${hilum.consoleUrl}/editor/#flow/${tab}`);
  return { browser, page };
}
