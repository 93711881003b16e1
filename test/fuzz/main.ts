/**
 * `npm run fuzz -- [--seconds 600 | --inputs N] [--seed N]`: mutated messages and frames against every law for as long,
 * or as many, as asked. Prints what was done, and keeps every input that broke a law. Exits 1 when there is one.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzz, type Fuzzed } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const seed = Number(values.seed);
const endsAt = performance.now() + Number(values.seconds) * 1000;
const wanted = values.inputs === undefined ? undefined : Number(values.inputs);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

console.log(
  `Seed ${seed}, ${wanted === undefined ? `for ${values.seconds} s` : `${wanted} inputs`}.`,
);
let heapAtFirst = 0;
const result = fuzz(
  seed,
  (done) => (wanted === undefined ? performance.now() > endsAt : done >= wanted),
  (sofar) => {
    if (heapAtFirst === 0) heapAtFirst = measureHeap();
    if (sofar.inputs % 20_000 === 0) console.log(describe(sofar));
  },
);
console.log(describe(result));
if (heapAtFirst > 0) {
  const grown = (measureHeap() - heapAtFirst) / 1024 / 1024;
  console.log(`Heap after a collection: ${grown.toFixed(1)} MiB more than after the first 1,000.`);
}
if (result.failures.length > 0) keepFailures(result);

function measureHeap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function describe({ inputs, bytes, slowestUsPerByte, failures }: Fuzzed): string {
  const mib = (bytes / 1024 / 1024).toFixed(0);
  return `${inputs.toLocaleString('en')} inputs, ${mib} MiB, slowest ${slowestUsPerByte.toFixed(2)} µs a byte, ${failures.length} failures`;
}

function keepFailures({ failures }: Fuzzed): void {
  const folder = mkdtempSync(join(tmpdir(), 'hilum-fuzz-'));
  for (const { law, reason, input, number } of failures.slice(0, 50)) {
    const file = join(folder, `${number}.hl7`);
    writeFileSync(file, input);
    console.error(`${law}\n  ${file}\n  ${reason}`);
  }
  process.exitCode = 1;
}
