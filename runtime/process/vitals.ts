import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How a process is, as it says itself with each answer to a heartbeat. */
export interface Vitals {
  /** All that it has in memory, shared files included. */
  readonly rssMiB: number;
  /** Of V8's heap, what is used. */
  readonly heapMiB: number;
  readonly eventLoop: EventLoop;
}

/** Of the time since the answer before. */
interface EventLoop {
  /** How late timers were, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The share of the time in which it was at work, from 0 to 1. */
  readonly utilization: number;
}

/** Often enough to see what a message waits for, and fifty timers a second cost next to nothing. */
const resolutionMs = 20;
const bytesPerMiB = 1024 * 1024;

/** Begins to measure this process; each call tells of the time since the one before. */
export function measureVitals(): () => Vitals {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let before = performance.eventLoopUtilization();
  // The histogram has the whole time between two timers, in nanoseconds.
  const toLateMs = (ns: number): number =>
    Number.isFinite(ns) ? Math.max(0, Math.round(ns / 1e5 - resolutionMs * 10) / 10) : 0;
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const { rss, heapUsed } = process.memoryUsage();
    const isEmpty = delay.count === 0;
    const vitals: Vitals = {
      rssMiB: Math.round(rss / bytesPerMiB),
      heapMiB: Math.round(heapUsed / bytesPerMiB),
      eventLoop: {
        p50Ms: isEmpty ? 0 : toLateMs(delay.percentile(50)),
        p99Ms: isEmpty ? 0 : toLateMs(delay.percentile(99)),
        maxMs: isEmpty ? 0 : toLateMs(delay.max),
        utilization: Math.round(utilization * 1000) / 1000,
      },
    };
    delay.reset();
    return vitals;
  };
}
