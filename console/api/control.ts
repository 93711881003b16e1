/**
 * What the console asks of the running engine: the runtime implements it and hands it in. Calls are
 * cheap (answered from memory) but for `replay`, which is durable when it resolves.
 */
export interface Control {
  /**
   * Sends the message again from where it first entered, as a new message caused by it. `by` is the name
   * of the user, or `cli`, for the ledger. Resolves with the new message's id, undefined where there is
   * no such message; rejects with HilumError where it cannot be queued.
   */
  replay(messageId: string, by: string): Promise<{ readonly id: string } | undefined>;
  /** What runs, listens and sends at this moment. */
  status(): ControlStatus;
  /** Every reason why messages are not taken and delivered; none: everything that the flows ask for is up. */
  problems(): readonly Problem[];
  /** The queues that the flows ask for. */
  queues(): readonly string[];
}

/** One reason why the engine is not ready. */
export interface Problem {
  readonly part: 'ledger' | 'broker' | 'engine';
  /** Stable, for scripts: `broker-blocked`. */
  readonly code: string;
  /** What is wrong and what to do, for people; strangers may read it. */
  readonly message: string;
  /** Since when, as far as it is known: ISO 8601 instant. */
  readonly since?: string;
}

/** The engine at one moment. All names and reasons are for people and hold no patient data. */
export interface ControlStatus {
  readonly processes: readonly ProcessStatus[];
  readonly interfaces: readonly InterfaceStatus[];
  readonly listeners: readonly ListenerStatus[];
  readonly senders: readonly SenderStatus[];
  /** Where it is told apart: `embedded`, `rabbitmq`. */
  readonly broker?: string;
  /** What is not as usual although messages are taken, a line each. */
  readonly notes?: readonly string[];
  /** The broker is away, and messages are taken and kept all the same: it need not answer. */
  readonly isSpooling?: boolean;
}

export interface ProcessStatus {
  /** `supervisor`, `edge`, `worker`, `owner`. */
  readonly role: string;
  readonly pid?: number;
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped';
  /** Since when it is in this state, ISO 8601 UTC. */
  readonly since?: string;
  readonly restarts?: number;
  /** Why it does not run, in a line. */
  readonly reason?: string;
  /** Why and when (ISO 8601 UTC) it ended the last time. */
  readonly lastEnd?: { readonly reason: string; readonly at: string };
  /** What it holds of its own, without shared files: what the bound counts. */
  readonly memoryMiB?: number;
  readonly memoryBoundMiB?: number;
  /** Of V8's heap, what is used. */
  readonly heapMiB?: number;
  /** Of the last second: how late its timers were, and the share of the time in which it was at work, 0 to 1. */
  readonly eventLoop?: {
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
    readonly utilization: number;
  };
}

/** A flow tab: the id that queues and messages carry, and its name. */
export interface InterfaceStatus {
  readonly id: string;
  readonly label: string;
  /** The worker group that runs it. */
  readonly group?: string;
  /** `disabled`: its tab is, in the editor. */
  readonly state?: 'running' | 'stopped' | 'disabled';
  /** Who has stopped it: an operator, or nobody, since it kept ending its worker. */
  readonly cause?: 'operator' | 'crash';
  /** Why it is stopped and what to do, for people. */
  readonly reason?: string;
  /** Since when it is stopped: ISO 8601 instant. */
  readonly since?: string;
}

export interface ListenerStatus {
  readonly id: string;
  readonly interface: string;
  readonly label: string;
  /** The inbound queue. */
  readonly queue: string;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** `stopped`: its interface is, by an operator. */
  readonly state: 'listening' | 'starting' | 'failed' | 'stopped';
  /** Why it failed, in a line. */
  readonly reason?: string;
}

export interface SenderStatus {
  readonly id: string;
  readonly interface: string;
  readonly label: string;
  /** The outbound queue. */
  readonly queue: string;
  /** Where it sends to: `http://127.0.0.1:8103/fhir/R4`, `127.0.0.1:2576`; without credentials. */
  readonly target: string;
  /** `failing`: its circuit breaker is open, one message at a time tries; `paused`: somebody holds it. */
  readonly state: 'sending' | 'starting' | 'failing' | 'paused' | 'stopped';
  /** Why it is failing, in a line. */
  readonly reason?: string;
  /** Since when it is in this state: ISO 8601 instant. */
  readonly since?: string;
}
