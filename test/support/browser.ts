import { chromium, type Browser, type Page } from 'playwright-core';
import type { RunningHilum } from './hilum.ts';

/** A page in a browser of its own. */
export interface OpenPage {
  readonly browser: Browser;
  readonly page: Page;
}

interface Options {
  readonly executablePath: string;
  readonly height: number;
  /** How long the page may take for anything. */
  readonly timeoutMs: number;
  /** Told of every error that a script of the page does not catch. */
  readonly onError: (message: string) => void;
}

/** Opens Chromium with an empty page. */
export async function openPage(options: Options): Promise<OpenPage> {
  const { executablePath, height, timeoutMs, onError } = options;
  const browser = await chromium.launch({
    executablePath,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  const page = await browser.newPage({ viewport: { width: 1400, height } });
  page.setDefaultTimeout(timeoutMs);
  page.on('pageerror', (error) => {
    if (!tipTooEarly.test(error.stack ?? '')) onError(error.stack ?? error.message);
  });
  return { browser, page };
}

/**
 * Node-RED 5.0 shows its first tip a second after it has read the user's settings, also where the box for it is only made
 * later since the key map was slow to come. Nothing but that tip is missing then.
 */
const tipTooEarly =
  /^TypeError: Cannot read properties of undefined \(reading 'html'\)\s+at \w+ \(\S+\/editor\/red\/red\.min\.js\S*\)$/;

/** Makes the first administrator of a Hilum that was just started, whose console is shown then. */
export async function openConsole(hilum: RunningHilum, options: Options): Promise<OpenPage> {
  const { browser, page } = await openPage(options);
  await page.goto(/http:\S+\/setup\S*/.exec(hilum.output())?.[0] ?? '');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.getByLabel('Password again').fill('correct horse battery');
  await page.getByRole('button', { name: /create|set up|make/i }).click();
  await page.getByRole('heading', { name: 'Queues' }).waitFor();
  return { browser, page };
}

/** As {@link openConsole}, and opens a flow tab of the editor; dialogs are agreed to. */
export async function openEditor(
  hilum: RunningHilum,
  { tab, ...options }: Options & { readonly tab: string },
): Promise<OpenPage> {
  const opened = await openConsole(hilum, options);
  const { page } = opened;
  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto(`${hilum.consoleUrl}/editor/#flow/${tab}`);
  return opened;
}
