import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

// Threads and commands that tests start find the code compiled that another of this run has loaded: half of the
// processor's time.
const compileCache = mkdtempSync(path.join(tmpdir(), 'hilum-compile-cache-'));
process.env['NODE_COMPILE_CACHE'] ??= compileCache;
process.on('exit', () => rmSync(compileCache, { recursive: true, force: true, maxRetries: 5 }));

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  // Their load would make the clocks of the others wrong: `npm run test:faults -- --short`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/faults/'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.(t|j|m)sx?$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript', tsx: true } },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(commander)/)'],
  reporters: ['default', '<rootDir>/test/support/skip-reporter.cjs'],
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  // A machine that is busy with other things is many times slower; what hangs is found all the same.
  testTimeout: 120_000,
  // Two processors: many tests wait for servers and processes that start.
  maxWorkers: 3,
};
