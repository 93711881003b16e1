import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildLabResult } from '../support/lab-results.ts';
import { mutate } from './mutate.ts';
import { createRandom } from './random.ts';
import { targets } from './targets.ts';

const samples = join(import.meta.dirname, '../../samples');

/** Our own samples, results that are made up, and shapes that the samples do not have. */
const corpus: readonly Buffer[] = [
  ...['adt-a01.hl7', 'oru-r01.hl7', 'oru-r01-invalid.hl7'].map((name) =>
    readFileSync(join(samples, name)),
  ),
  ...[1, 2].map((index) => Buffer.from(buildLabResult({ index, patient: index, observations: 3 }))),
  ...[
    'FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|A|B|C|D|2026||ACK^A01|1|P|2.3\rMSA|AA|7\rBTS|1\rFTS|1\r',
    'MSH*!@$%*A*B*C*D*2026**ADT!A08*2*P*2.8.2******UNICODE UTF-8\rPID*1**7!!!H%1.2%ISO@8*$F$\r',
    'MSH|^~\\&#|A|B|C|D|2026||ORU^R01|3|P|2.7.1||x|||||~ISO IR87\rOBX|1|TX|1||\x1b$B$"\x1b(B\rADD|more\rDSC|y|I\r',
  ].map((text) => Buffer.from(text, 'latin1')),
];

/** What a run found: how much it did, and every input that broke a law. */
export interface Fuzzed {
  readonly inputs: number;
  readonly bytes: number;
  /** The most that any input cost, in microseconds a byte beyond what every input may cost. */
  readonly slowestUsPerByte: number;
  readonly failures: readonly Failure[];
}

interface Failure {
  readonly law: string;
  readonly reason: string;
  readonly input: Buffer;
  /** Which input of the seed it was: the run is the same for the same seed. */
  readonly number: number;
}

/** Every input may cost this much whatever its size: a collection of garbage, and a profile's whole version on a slow machine. */
const allowedMs = 250;
/** More than this is a hang, or will be with a larger message. */
const maxUsPerByte = 40;

/**
 * Mutated messages against every law, until `isDone` says so. The same seed gives the same inputs. An input
 * that takes too long is tried again before it counts, since the machine may have been busy.
 */
export function fuzz(
  seed: number,
  isDone: (inputs: number) => boolean,
  onProgress?: (sofar: Fuzzed) => void,
): Fuzzed {
  const random = createRandom(seed);
  const failures: Failure[] = [];
  let inputs = 0;
  let bytes = 0;
  let slowestUsPerByte = 0;
  const sum = (): Fuzzed => ({ inputs, bytes, slowestUsPerByte, failures });
  while (!isDone(inputs)) {
    const input = mutate(random.pick(corpus), random.pick(corpus), random);
    inputs += 1;
    bytes += input.length;
    for (const [law, run] of Object.entries(targets)) {
      const choice = random.whole(0x7fffffff);
      const fail = (reason: string) => failures.push({ law, reason, input, number: inputs });
      try {
        const cost = measure(() => run(input, createRandom(choice)), input.length);
        slowestUsPerByte = Math.max(slowestUsPerByte, cost);
        if (cost > maxUsPerByte) fail(`${cost.toFixed(0)} µs a byte`);
      } catch (error) {
        fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
    if (inputs % 1_000 === 0) onProgress?.(sum());
  }
  return sum();
}

/** Microseconds of processor a byte beyond what is always allowed: the best of up to three tries. */
function measure(run: () => void, bytes: number): number {
  let best = Infinity;
  for (let tries = 0; tries < 3 && best > maxUsPerByte; tries += 1) {
    // What the machine did meanwhile for others does not count.
    const started = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(started);
    const ms = (user + system) / 1_000;
    best = Math.min(best, Math.max(0, ms - allowedMs) * (1_000 / Math.max(1, bytes)));
  }
  return best;
}
