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
  testTimeout: 30_000,
  maxWorkers: 2,
};
