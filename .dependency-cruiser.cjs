// Who may import whom. The rooms and the reasons: docs/architecture.md.
const outside = (...rooms) => `^(${rooms.join('|')})/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports-core-only',
      comment: 'The domain is pure: no rooms around it.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: outside('connectors', 'nodes', 'runtime', 'console', 'cli', 'test', 'build') },
    },
    {
      name: 'core-without-io',
      comment:
        'No sockets, files, databases or Node-RED; pure packages by name, and the buffers and hashes of Node.',
      severity: 'error',
      from: { path: '^core/' },
      to: {
        dependencyTypesNot: ['local', 'type-only', 'undetermined'],
        pathNot:
          '^core/|^(buffer|crypto)$|^@medplum/fhirtypes$|(^|/)node_modules/(@medplum/core|ajv|yaml|iconv-lite|fast-xml-parser|fhirpath|@lhncbc/ucum-lhc)/',
      },
    },
    {
      name: 'connectors-import-core',
      severity: 'error',
      from: { path: '^connectors/' },
      to: { path: outside('nodes', 'runtime', 'console', 'cli', 'test', 'build') },
    },
    {
      name: 'connectors-stand-alone',
      comment: 'One outside system never reaches for another.',
      severity: 'error',
      from: { path: '^connectors/([^/]+)/' },
      to: { path: '^connectors/([^/]+)/', pathNot: '^connectors/$1/' },
    },
    {
      name: 'nodes-import-core',
      comment: 'A node gets sockets and queues handed in; mapping files it may read.',
      severity: 'error',
      from: { path: '^nodes/' },
      to: {
        path: outside('connectors', 'runtime', 'console', 'cli', 'test', 'build'),
        pathNot: '^connectors/file/',
      },
    },
    {
      name: 'console-api-imports-core',
      severity: 'error',
      from: { path: '^console/api/' },
      to: {
        path: outside('connectors', 'nodes', 'runtime', 'cli', 'test', 'build', 'console/web'),
      },
    },
    {
      name: 'web-speaks-http-only',
      severity: 'error',
      from: { path: '^console/web/' },
      to: {
        path: outside('core', 'connectors', 'nodes', 'runtime', 'cli', 'test', 'build'),
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'product-never-imports-tests',
      severity: 'error',
      from: { pathNot: '^(test|build)/' },
      to: { path: '^(test|build)/' },
    },
    {
      name: 'runtime-never-imports-cli',
      severity: 'error',
      from: { path: '^runtime/' },
      to: { path: '^cli/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'] },
  },
};
