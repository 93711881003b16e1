/** How long the processes are given for what; all in milliseconds. */
export interface SupervisionTimes {
  readonly heartbeatMs: number;
  /** So often it is looked at what a process holds that may hold only so much. */
  readonly memoryMs: number;
  /**
   * So much processor time the main thread of a worker may use before it answers a heartbeat, beyond the time after
   * which it finds an endless loop itself (`HILUM_LOOP_SECONDS`).
   */
  readonly flowLoopMs: number;
  /** The same while it starts: loading Node-RED and compiling the definitions are long steps. */
  readonly startLoopMs: number;
  /** By the clock: a flow that waits and does not turn, or any loop where the system does not tell, is found after this. */
  readonly flowSilenceMs: number;
  /** Of a process that runs no flows. */
  readonly silenceMs: number;
  /** Twice as long for each start that did not end well: killed again and again, it would never end. */
  readonly startTimeoutMs: number;
  readonly longestStartTimeoutMs: number;
  readonly stopTimeoutMs: number;
  /** A process that ran this long had started well: the next restart is immediate again. */
  readonly stableMs: number;
  /** A worker that ran this long has got to messages that do it no harm. */
  readonly atWorkMs: number;
  readonly maxBackoffMs: number;
}

export const defaultTimes: SupervisionTimes = {
  heartbeatMs: 1_000,
  memoryMs: 250,
  flowLoopMs: 4_000,
  startLoopMs: 15_000,
  flowSilenceMs: 15_000,
  silenceMs: 30_000,
  startTimeoutMs: 30_000,
  longestStartTimeoutMs: 240_000,
  stopTimeoutMs: 15_000,
  stableMs: 30_000,
  atWorkMs: 5_000,
  maxBackoffMs: 30_000,
};
