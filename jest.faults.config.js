import config from './jest.config.js';

/**
 * Faults done to the whole product, after all other tests: their load would make the clocks of others wrong. Two at a
 * time: what the short forms bound by the clock they bound for a busy machine.
 *
 * @type {import('jest').Config}
 */
export default {
  ...config,
  roots: ['<rootDir>/test/faults'],
  // Those that take minutes more: `npm run test:faults -- --short` runs them all.
  testPathIgnorePatterns: [
    '/node_modules/',
    'faults/(backlog|broker|clock|cluster|isolation|ledger|overload|partner|postgres).test',
  ],
  maxWorkers: 2,
};
