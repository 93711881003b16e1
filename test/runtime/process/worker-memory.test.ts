import type { FlowNode } from '../../../core/interface.ts';
import { findWorkerMemory, readWorkerMemory } from '../../../runtime/process/worker-memory.ts';

const tab = (id: string, value?: string): FlowNode => ({
  id,
  type: 'tab',
  env: value === undefined ? [] : [{ name: 'HILUM_WORKER_MEMORY', value, type: 'str' }],
});

it.each([
  ['', 1024, 0],
  ['128', 128, 0],
  ['65536', 65_536, 0],
  ['127', 1024, 1],
  ['65537', 1024, 1],
  ['a lot', 1024, 1],
])('reads "%s" as %d MiB with %d problems', (text, maxMiB, problems) => {
  const read = readWorkerMemory(() => text);
  expect(read).toMatchObject({ maxMiB });
  expect(read.problems).toHaveLength(problems);
});

it('gives a group what the tab with the largest wish of its own asks for', () => {
  expect(findWorkerMemory([tab('a'), tab('b', '256'), tab('c', '512')], 1024)).toBe(512);
  expect(findWorkerMemory([tab('a'), tab('b')], 1024)).toBe(1024);
});
