import { startWithBacklog, startWithUnsortedBacklog } from './backlog.ts';
import { broker } from './broker.ts';
import { clock } from './clock.ts';
import { deploy } from './deploy.ts';
import { cluster } from './cluster.ts';
import { disk } from './disk.ts';
import type { Scenario } from './harness/scenario.ts';
import { isolation } from './isolation.ts';
import { kill } from './kill.ts';
import { ledger } from './ledger.ts';
import { overload } from './overload.ts';
import { partner } from './partner.ts';
import { postgres } from './postgres.ts';

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  kill,
  partner,
  isolation,
  broker,
  cluster,
  ledger,
  postgres,
  disk,
  clock,
  deploy,
  startWithBacklog,
  startWithUnsortedBacklog,
  overload,
];
