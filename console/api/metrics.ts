import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { AlarmReader } from './alarms.ts';
import type { Control } from './control.ts';
import { ProcessMetrics } from './process-metrics.ts';
import type { Reader } from './reader.ts';
import { HeldMetrics } from './held-metrics.ts';
import type { RetentionControl } from './retention.ts';
import type { UnmappedCodes } from './unmapped.ts';

/** Prometheus' text, read anew at every call. */
export interface Metrics {
  readonly contentType: string;
  read(): Promise<string>;
}

/** Where the figures come from. */
export interface MetricsOptions {
  readonly reader: Reader;
  readonly ledger: Pick<Ledger, 'counts'>;
  readonly control: Pick<Control, 'status'>;
  readonly alarms: Pick<AlarmReader, 'view'>;
  readonly retention: Pick<RetentionControl, 'view'>;
  readonly unmapped: Pick<UnmappedCodes, 'figures'>;
  readonly clock: () => number;
}

/**
 * Depth, dead letters and age per queue, circuit breakers, events per interface and kind, alarms, and this process.
 * Labels are names of queues and interfaces, which grow with the flows and never with the messages; of code systems a
 * few.
 */
export function buildMetrics({
  reader,
  ledger,
  control,
  alarms,
  retention,
  unmapped,
  clock,
}: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const labelNames = ['queue', 'interface'] as const;
  const ready = new Gauge({
    name: 'hilum_queue_ready',
    help: 'Messages that wait in the queue.',
    labelNames,
    registers,
  });
  const unsettled = new Gauge({
    name: 'hilum_queue_unsettled',
    help: 'Messages of the queue that are being worked on.',
    labelNames,
    registers,
  });
  const dead = new Gauge({
    name: 'hilum_queue_dead',
    help: 'Messages in the dead-letter queue.',
    labelNames,
    registers,
  });
  const oldest = new Gauge({
    name: 'hilum_queue_oldest_age_seconds',
    help: 'Age of the oldest message that waits in the queue; 0 when none does.',
    labelNames,
    registers,
  });
  const messages = new Counter({
    name: 'hilum_messages_total',
    help: 'Events of the ledger: received, queued, delivered, dead-lettered and the others.',
    labelNames: ['interface', 'event'] as const,
    registers,
  });
  const breaker = new Gauge({
    name: 'hilum_circuit_breaker_open',
    help: 'Whether the sender of the queue leaves its partner alone but for one message at a time: 1, else 0.',
    labelNames,
    registers,
  });
  const standing = new Gauge({
    name: 'hilum_alarm_standing',
    help: '1 for each alarm that stands, by its kind: backlog, oldest, dead, silence.',
    labelNames: ['interface', 'queue', 'kind'] as const,
    registers,
  });
  const pending = new Gauge({
    name: 'hilum_alarm_notifications_pending',
    help: 'Notifications that the receiver of alarms has not taken yet.',
    registers,
  });
  const dropped = new Counter({
    name: 'hilum_alarm_notifications_dropped_total',
    help: 'Notifications that the receiver of alarms will never get.',
    registers,
  });
  const file = new Gauge({
    name: 'hilum_data_file_bytes',
    help: 'The data file of ledger and embedded broker: what it takes of the disk, and what of that is free.',
    labelNames: ['part'] as const,
    registers,
  });
  const removed = new Counter({
    name: 'hilum_retention_removed_total',
    help: 'Messages that retention has removed since the data file was made.',
    registers,
  });

  const ofProcesses = new ProcessMetrics(registry);
  const ofHeld = new HeldMetrics(registry);

  let reading: Promise<string> | undefined;
  return {
    contentType: registry.contentType,
    read() {
      // One reading at a time: a second would see the series of the first half reset.
      reading ??= read().finally(() => (reading = undefined));
      return reading;
    },
  };

  async function read(): Promise<string> {
    const [queues, counts, { storage }, held] = await Promise.all([
      reader.queues(),
      ledger.counts(),
      retention.view(),
      unmapped.figures(),
    ]);
    ofHeld.set(held, clock());
    for (const metric of [
      ready,
      unsettled,
      dead,
      oldest,
      messages,
      breaker,
      standing,
      dropped,
      removed,
    ]) {
      metric.reset();
    }
    for (const view of queues) {
      const labels = { queue: view.queue, interface: view.interface };
      ready.set(labels, view.ready);
      unsettled.set(labels, view.unsettled);
      dead.set(labels, view.dead);
      oldest.set(labels, view.oldestAgeSeconds ?? 0);
    }
    for (const { interface: name, kind, count } of counts) {
      messages.inc({ interface: name, event: kind }, count);
    }
    const { senders, processes } = control.status();
    ofProcesses.set(processes);
    for (const { queue, interface: owner, state } of senders) {
      breaker.set({ queue, interface: owner }, Number(state === 'failing'));
    }
    const { standing: alarmsNow, receiver } = alarms.view();
    for (const { interface: owner, queue = '', kind } of alarmsNow) {
      standing.set({ interface: owner, queue, kind }, 1);
    }
    pending.set(receiver.pending);
    file.set({ part: 'all' }, storage.fileBytes);
    file.set({ part: 'free' }, storage.freeBytes);
    removed.inc(storage.pruned.messages);
    dropped.inc(receiver.dropped);
    return registry.metrics();
  }
}
