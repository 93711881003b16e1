import { runScenario, type BrokerKind, type Scenario } from './scenario.ts';

/** The short form of a scenario, as a test: fails with every promise that was broken. */
export async function runShort(scenario: Scenario, broker: BrokerKind): Promise<void> {
  const seed = Number(process.env['HILUM_FAULTS_SEED'] ?? 20_261_125);
  const { broken } = await runScenario(scenario, { form: 'short', broker, seed });
  expect(broken).toEqual([]);
}
