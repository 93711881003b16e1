import { startWithBacklog } from './backlog.ts';
import { broker } from './broker.ts';
import { clock } from './clock.ts';
import { cluster } from './cluster.ts';
import { disk } from './disk.ts';
import type { Scenario } from './harness/scenario.ts';
import { kill } from './kill.ts';
import { ledger } from './ledger.ts';
import { overload } from './overload.ts';
import { partner } from './partner.ts';

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  kill,
  partner,
  broker,
  cluster,
  ledger,
  disk,
  clock,
  startWithBacklog,
  overload,
];
