/** `npm run bench -- NAME`: one of the benchmarks beside this file. */
const benchmarks: Readonly<Record<string, string>> = {
  hl7: './hl7/main.ts',
  mllp: './mllp.ts',
  settlement: './settlement.ts',
  'embedded-broker': './embedded-broker.ts',
  'rabbitmq-broker': './rabbitmq-broker.ts',
  owner: './owner.ts',
  'postgres-ledger': './postgres-ledger.ts',
  'ledger-cost': './ledger-cost.ts',
  retention: './retention.ts',
  pipeline: './pipeline/main.ts',
  interfaces: './interfaces.ts',
  workers: './workers.ts',
  mapping: './mapping/main.ts',
  plan: './plan/main.ts',
};

// The rest of the command line is the benchmark's own.
const [name = ''] = process.argv.splice(2, 1);
const file = benchmarks[name];
if (file === undefined) {
  console.error(`Expected one of: ${Object.keys(benchmarks).join(', ')}.`);
  process.exitCode = 2;
} else {
  await import(file);
}
