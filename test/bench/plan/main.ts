/**
 * `npm run bench -- plan [regional|national] [--messages-per-day N] [--interfaces N] [--peak-factor N] [--bytes N]
 * [--days N] [--utilization 0.6] [--hot-share 0.05] [--interfaces-per-group N] [--seed N] [--json]`: what an exchange
 * of that size needs, from the figures beside this file, and how long the messages of its busiest interface wait. Prints
 * which figures were measured and which are assumed.
 */
import { parseArgs } from 'node:util';
import { createRandom } from '../../fuzz/random.ts';
import { plan, type Demand, type Figures, type Plan } from './capacity.ts';
import { figures, type Figure } from './figures.ts';
import { simulate, type Waits } from './simulation.ts';

const shared = {
  peakFactor: 3,
  bytes: 2_000,
  days: 90,
  utilization: 0.6,
  interfacesPerGroup: 20,
} as const;
const presets: Readonly<Record<string, Demand>> = {
  regional: { ...shared, messagesPerDay: 10_000_000, interfaces: 1_000, hotShare: 0.1 },
  national: { ...shared, messagesPerDay: 1_000_000_000, interfaces: 20_000, hotShare: 0.02 },
};

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    'messages-per-day': { type: 'string' },
    interfaces: { type: 'string' },
    'peak-factor': { type: 'string' },
    bytes: { type: 'string' },
    days: { type: 'string' },
    utilization: { type: 'string' },
    'hot-share': { type: 'string' },
    'interfaces-per-group': { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const optionOf = {
  messagesPerDay: 'messages-per-day',
  interfaces: 'interfaces',
  peakFactor: 'peak-factor',
  bytes: 'bytes',
  days: 'days',
  utilization: 'utilization',
  hotShare: 'hot-share',
  interfacesPerGroup: 'interfaces-per-group',
} as const satisfies Record<keyof Demand, keyof typeof values>;

const [name = 'regional'] = positionals;
const preset = presets[name];
const given = Object.entries(optionOf).flatMap(([field, option]) =>
  values[option] === undefined ? [] : [[field, Number(values[option])] as const],
);
const isWrong = (value: number): boolean => !(value > 0 && Number.isFinite(value));
if (preset === undefined || given.some(([, value]) => isWrong(value))) {
  console.error('Expected regional or national, and numbers above 0; see the head of this file.');
  process.exit(2);
}
const demand: Demand = { ...preset, ...Object.fromEntries(given) };
const known = Object.fromEntries(
  Object.entries(figures).map(([figure, { value }]) => [figure, value]),
) as Figures;
const planned = plan(demand, known);
const waits = simulateHot();
if (values.json) console.log(JSON.stringify({ demand, planned, waits }, undefined, 2));
else print();

/** The busiest interface in the busiest hour: for a while, and where one of its workers is killed. */
function simulateHot(): { readonly usual: Waits; readonly worker: Waits } {
  const numbers = createRandom(Number(values.seed));
  const perSecond = planned.peakPerSecond * demand.hotShare;
  const interfaceOfAll = {
    perSecond,
    workers: planned.hotWorkers,
    lanes: planned.hotLanes,
    workerMicros: known.workerMicros,
    burst: 20,
    messages: Math.max(20_000, Math.min(300_000, Math.round(60 * perSecond))),
    random: () => numbers.whole(2 ** 31) / 2 ** 31,
  };
  const loss = { atSeconds: 10, forMs: known.failoverMs };
  return { usual: simulate(interfaceOfAll), worker: simulate({ ...interfaceOfAll, loss }) };
}

function print(): void {
  const { parts, limits, ...rest } = planned;
  const n = (value: number, digits = 0): string =>
    value.toLocaleString('en-US', { maximumFractionDigits: digits });
  console.log(
    `${n(demand.messagesPerDay)} messages a day of ${n(demand.bytes)} bytes over ${n(demand.interfaces)} interfaces: ` +
      `${n(rest.averagePerSecond)}/s on average, ${n(rest.peakPerSecond)}/s in the busiest hour.\n`,
  );
  console.log('What limits first:');
  for (const { name: what, needed, most, unit, installations } of limits) {
    console.log(
      `  ${what.padEnd(30)} ${n(needed, 1).padStart(10)} of ${n(most)} ${unit}: ${installations} ${installations === 1 ? 'installation' : 'installations'}`,
    );
  }
  console.log(`\nInstallations, with a broker cluster and a ledger each: ${rest.installations}`);
  for (const { name: what, count, cores, memoryGiB, busy } of parts) {
    console.log(
      `  ${what.padEnd(14)} ${n(count).padStart(6)}  ${n(cores, 1).padStart(7)} busy cores  ${(memoryGiB === 0 ? '–' : n(memoryGiB, 1)).padStart(7)} GiB  ${n(100 * busy)} % busy`,
    );
  }
  sayWaits(rest);
  sayFigures();

  function sayWaits(of: Omit<Plan, 'parts' | 'limits'>): void {
    console.log(
      `  ledger         ${n(of.ledgerBytesPerDay / 1e9)} GB a day, ${n(of.ledgerBytes / 2 ** 40, 1)} TiB in ${demand.days} days`,
    );
    console.log(`  network        ${n(of.networkBitsPerSecond / 1e6)} Mbit/s between all parts\n`);
    console.log(
      `The busiest interface: ${n(of.peakPerSecond * demand.hotShare)}/s, lanes: ${of.hotLanes}, workers: ${of.hotWorkers}, simulated:`,
    );
    for (const [words, it] of [
      ['as usual', waits.usual],
      ['a worker lost', waits.worker],
    ] as const) {
      console.log(
        `  ${words.padEnd(14)} half within ${n(it.p50Ms, 1)} ms, 99 % within ${n(it.p99Ms, 1)} ms, all within ${n(it.longestMs)} ms; at most ${n(it.deepest)} waiting; ${n(100 * it.busy)} % busy`,
      );
    }
  }

  function sayFigures(): void {
    for (const kind of ['measured', 'assumed'] as const) {
      console.log(`\n${kind === 'measured' ? 'Measured' : 'Assumed'}:`);
      const all: readonly (readonly [string, Figure])[] = Object.entries(figures);
      for (const [figure, { kind: its, value, unit, source }] of all) {
        if (its === kind) console.log(`  ${figure}: ${n(value, 2)} ${unit} (${source})`);
      }
    }
    console.log(
      `  the demand itself: peak factor ${demand.peakFactor}, ${demand.bytes} bytes, ${demand.days} days, ${n(100 * demand.utilization)} % busy at most, the busiest interface ${n(100 * demand.hotShare)} %, ${demand.interfacesPerGroup} interfaces a group, bursts of 20`,
    );
  }
}
