import config from './jest.config.js';

/**
 * Faults done to the whole product, one after the other and after all other tests: their load would make the clocks of
 * others wrong, and that of others theirs.
 *
 * @type {import('jest').Config}
 */
export default {
  ...config,
  roots: ['<rootDir>/test/faults'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
};
