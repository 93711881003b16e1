import type { Scenario } from './harness/scenario.ts';
import { kill } from './kill.ts';

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [kill];
