import { rm } from 'node:fs/promises';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/**
 * Builds the console's page from console/web into dist/console: index.html, favicon.svg and assets/, whose
 * names hold their hash. Takes a few seconds and no network. Rejects with Vite's report of what is wrong.
 */
export async function buildConsole(): Promise<void> {
  // Loaded here: whoever imports this without building does not pay for Vite.
  const [{ build }, { default: react }] = await Promise.all([
    import('vite'),
    import('@vitejs/plugin-react'),
  ]);
  const outDir = path.join(root, 'dist/console');
  await rm(outDir, { recursive: true, force: true });
  await build({
    configFile: false,
    root: path.join(root, 'console/web'),
    base: '/',
    logLevel: 'warn',
    plugins: [react()],
    build: { outDir, emptyOutDir: true, target: 'es2022', reportCompressedSize: false },
  });
}
