import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const main = path.join(import.meta.dirname, 'main.ts');

// In a process of its own: code runs slower in Jest's modules than in Node's.
it('20,000 mutated messages and frames break no law and cost what their size costs', async () => {
  const args = [
    '--disable-warning=ExperimentalWarning',
    main,
    '--seed',
    '20261125',
    '--inputs',
    '20000',
  ];
  // Where a law is broken it rejects with what was printed, the law and the input among it.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/^20,000 inputs, .* 0 failures$/m);
  expect(stderr).toBe('');
}, 300_000);
