import { Counter, Gauge, type Registry } from 'prom-client';
import type { ProcessStatus } from './control.ts';

/** Of each process of the engine: whether it runs, what it holds, how late its event loop is, how often it was restarted. */
export class ProcessMetrics {
  readonly #running: Gauge<'process'>;
  readonly #memory: Gauge<'process'>;
  readonly #bound: Gauge<'process'>;
  readonly #heap: Gauge<'process'>;
  readonly #delay: Gauge<'process' | 'quantile'>;
  readonly #utilization: Gauge<'process'>;
  readonly #restarts: Counter<'process'>;

  constructor(registry: Registry) {
    const labelNames = ['process'] as const;
    const common = { labelNames, registers: [registry] };
    this.#running = new Gauge({
      name: 'hilum_process_running',
      help: '1 for each process of the engine that runs, 0 for one that starts, is restarted or stopped.',
      ...common,
    });
    this.#memory = new Gauge({
      name: 'hilum_process_memory_bytes',
      help: 'What the process holds of its own, without shared files.',
      ...common,
    });
    this.#bound = new Gauge({
      name: 'hilum_process_memory_bound_bytes',
      help: 'What the process may hold before it is ended.',
      ...common,
    });
    this.#heap = new Gauge({
      name: 'hilum_process_heap_bytes',
      help: "What is used of V8's heap.",
      ...common,
    });
    this.#delay = new Gauge({
      name: 'hilum_process_event_loop_delay_seconds',
      help: 'How late timers of the process were in its last second; quantile 1 is the latest.',
      labelNames: ['process', 'quantile'],
      registers: [registry],
    });
    this.#utilization = new Gauge({
      name: 'hilum_process_event_loop_utilization',
      help: 'The share of the last second in which the event loop was at work, 0 to 1.',
      ...common,
    });
    this.#restarts = new Counter({
      name: 'hilum_process_restarts_total',
      help: 'How often the process ended without being asked to since the engine started.',
      ...common,
    });
  }

  /** These are all that there are now. */
  set(processes: readonly ProcessStatus[]): void {
    const { memory, bound, heap, delay, utilization, restarts, running } = {
      running: this.#running,
      memory: this.#memory,
      bound: this.#bound,
      heap: this.#heap,
      delay: this.#delay,
      utilization: this.#utilization,
      restarts: this.#restarts,
    };
    for (const metric of [running, memory, bound, heap, delay, utilization, restarts]) {
      metric.reset();
    }
    for (const each of processes) {
      const labels = { process: each.role };
      running.set(labels, Number(each.state === 'running'));
      if (each.memoryMiB !== undefined) memory.set(labels, each.memoryMiB * bytesPerMiB);
      if (each.memoryBoundMiB !== undefined) bound.set(labels, each.memoryBoundMiB * bytesPerMiB);
      if (each.heapMiB !== undefined) heap.set(labels, each.heapMiB * bytesPerMiB);
      if (each.restarts !== undefined) restarts.inc(labels, each.restarts);
      if (each.eventLoop === undefined) continue;
      const { p50Ms, p99Ms, maxMs } = each.eventLoop;
      delay.set({ ...labels, quantile: '0.5' }, p50Ms / 1000);
      delay.set({ ...labels, quantile: '0.99' }, p99Ms / 1000);
      delay.set({ ...labels, quantile: '1' }, maxMs / 1000);
      utilization.set(labels, each.eventLoop.utilization);
    }
  }
}

const bytesPerMiB = 1024 * 1024;
