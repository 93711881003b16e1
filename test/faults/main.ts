/**
 * `npm run test:faults -- [NAME…] [--rounds N] [--broker embedded|rabbitmq] [--seed N] [--short]`: the named
 * faults, or all, done to the whole product under load. Prints what went in and came out, counted by control
 * id. Exits 1 when a promise was broken.
 */
import { parseArgs } from 'node:util';
import { runScenario, type BrokerKind } from './harness/scenario.ts';
import { scenarios } from './scenarios.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    broker: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  for (const { name, what, brokers } of scenarios) {
    console.log(`${name.padEnd(10)} ${what} (${brokers.join(', ')})`);
  }
  process.exit();
}

const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
const isBroker = (text: string): text is BrokerKind => text === 'embedded' || text === 'rabbitmq';
if (unknown.length > 0 || (values.broker !== undefined && !isBroker(values.broker))) {
  const names = scenarios.map(({ name }) => name).join(', ');
  console.error(`Expected names of ${names} and --broker embedded or rabbitmq; see --help.`);
  process.exit(2);
}

const failures: string[] = [];
const skipped: string[] = [];
for (const scenario of scenarios) {
  if (positionals.length > 0 && !positionals.includes(scenario.name)) continue;
  for (const broker of scenario.brokers) {
    if (values.broker !== undefined && values.broker !== broker) continue;
    const outcome = await runScenario(scenario, {
      form: values.short ? 'short' : 'full',
      broker,
      ...(values.rounds === undefined ? {} : { rounds: Number(values.rounds) }),
      seed: Number(values.seed),
    });
    const title = `${scenario.name} ${broker}`;
    failures.push(...outcome.broken.map((words) => `${title}: ${words}`));
    skipped.push(...outcome.skipped.map((words) => `${title}: ${words}`));
  }
}
for (const words of skipped) console.error(`!!!! SKIPPED ${words}`);
for (const words of failures) console.error(`BROKEN ${words}`);
console.log(
  failures.length === 0
    ? `Every promise was kept (seed ${values.seed}).`
    : `${failures.length} promises were broken (seed ${values.seed}).`,
);
process.exit(failures.length === 0 ? 0 : 1);
