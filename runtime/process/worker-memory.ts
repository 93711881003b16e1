import type { FlowNode } from '../../core/interface.ts';
import { findTabSetting } from '../deploy/tab-setting.ts';

/** Room for the largest messages, of which V8 and Node-RED alone take about an eighth. */
const usualMiB = 1_024;
/** A worker that has nothing to do takes nearly as much. */
const leastMiB = 128;
const mostMiB = 65_536;

const workerMemorySetting = 'HILUM_WORKER_MEMORY';

/** Reads `HILUM_WORKER_MEMORY`: MiB that one worker may hold; with a problem in words where it is none. */
export function readWorkerMemory(find: (name: string) => string | undefined): {
  readonly maxMiB: number;
  readonly problems: readonly string[];
} {
  const text = find(workerMemorySetting)?.trim() ?? '';
  if (text === '') return { maxMiB: usualMiB, problems: [] };
  const miB = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (miB >= leastMiB && miB <= mostMiB) return { maxMiB: miB, problems: [] };
  const expected = `expected MiB from ${leastMiB} to ${mostMiB}`;
  return {
    maxMiB: usualMiB,
    problems: [`${workerMemorySetting}: ${expected}, found "${text}".`],
  };
}

/** What a worker of these tabs may hold, in MiB: the largest that one of them asks for, else `otherwise`. */
export function findWorkerMemory(tabs: readonly FlowNode[], otherwise: number): number {
  const own = tabs.flatMap((tab) =>
    tab.type === 'tab' && findTabSetting(tab, workerMemorySetting) !== undefined
      ? [readWorkerMemory((name) => findTabSetting(tab, name)).maxMiB]
      : [],
  );
  return own.length === 0 ? otherwise : Math.max(...own);
}
