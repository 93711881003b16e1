import { Registry } from 'prom-client';
import { ProcessMetrics } from '../../console/api/process-metrics.ts';

it('tells of each process as it is now, and of none that is gone', async () => {
  const registry = new Registry();
  const metrics = new ProcessMetrics(registry);
  metrics.set([{ role: 'worker gone', state: 'running' }]);
  metrics.set([
    {
      role: 'worker lab',
      state: 'running',
      restarts: 2,
      memoryMiB: 80,
      memoryBoundMiB: 256,
      heapMiB: 20,
      eventLoop: { p50Ms: 1, p99Ms: 12, maxMs: 40, utilization: 0.25 },
    },
    { role: 'edge', state: 'restarting' },
  ]);
  metrics.set([
    {
      role: 'worker lab',
      state: 'running',
      restarts: 2,
      memoryMiB: 80,
      memoryBoundMiB: 256,
      heapMiB: 20,
      eventLoop: { p50Ms: 1, p99Ms: 12, maxMs: 40, utilization: 0.25 },
    },
    { role: 'edge', state: 'restarting' },
  ]);
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const of = 'process="worker lab"';
  expect(lines.toSorted()).toEqual(
    [
      `hilum_process_running{${of}} 1`,
      'hilum_process_running{process="edge"} 0',
      `hilum_process_memory_bytes{${of}} ${80 * 1024 * 1024}`,
      `hilum_process_memory_bound_bytes{${of}} ${256 * 1024 * 1024}`,
      `hilum_process_heap_bytes{${of}} ${20 * 1024 * 1024}`,
      `hilum_process_event_loop_delay_seconds{${of},quantile="0.5"} 0.001`,
      `hilum_process_event_loop_delay_seconds{${of},quantile="0.99"} 0.012`,
      `hilum_process_event_loop_delay_seconds{${of},quantile="1"} 0.04`,
      `hilum_process_event_loop_utilization{${of}} 0.25`,
      `hilum_process_restarts_total{${of}} 2`,
    ].toSorted(),
  );
});
