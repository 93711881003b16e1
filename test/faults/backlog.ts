import { randomUUID } from 'node:crypto';
import { openRabbitBroker } from '../../connectors/rabbitmq/broker.ts';
import { connectOwner } from '../../connectors/sqlite/client.ts';
import { openOwner } from '../../connectors/sqlite/owner.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Broker } from '../../core/ports/broker.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { readSettings, type Settings } from '../../runtime/settings.ts';
import { controlIdOf } from '../support/lab-results.ts';
import { queueOf } from './harness/flows.ts';
import { buildMessage, patientOf } from './harness/messages.ts';
import type { PartnerReport } from './harness/partner.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { setUp, unreachable } from './harness/setup.ts';
import { count, describeCounts } from './harness/counts.ts';
import { waitFor } from './harness/wait.ts';

const flow = 'backlog';
const backlog = 100_000;
const batchSize = 100;
const readyWithinMs = 10_000;
/** Beyond the numbers that senders use. */
const first = 500_000_000;

export const startWithBacklog: Scenario = {
  name: 'backlog',
  what: `${backlog.toLocaleString('en')} messages are queued when Hilum starts`,
  brokers: ['embedded', 'rabbitmq'],
  run: (context) => startWith(context, { isInLane: true }),
};

export const startWithUnsortedBacklog: Scenario = {
  name: 'backlog-unsorted',
  what: `${backlog.toLocaleString('en')} messages are queued outside the lanes of their queue when Hilum starts`,
  brokers: ['rabbitmq'],
  run: (context) => startWith(context, { isInLane: false }),
};

/** As its interface has it, or as a queue was before it had lanes, and as another program fills it. */
interface Form {
  readonly isInLane: boolean;
}

async function startWith(context: FaultContext, form: Form): Promise<void> {
  const { engine, interfaces } = await setUp(context, { [flow]: {} });
  const [target = unreachable()] = interfaces;
  const emptyMs = await engine.start();
  await engine.stop();
  const filledAt = performance.now();
  const settings = readSettings(engine.env);
  if (!settings.ok) throw new Error(settings.problems.join(' '));
  await fill(settings.settings, form);
  context.say(`${backlog} messages queued in ${toSeconds(filledAt)} s`);
  const startedAt = performance.now();
  const startedMs = await engine.start();
  const sender = Sender.start(context);
  await sender.send(target.port, { connections: 8, ratePerSecond: 50 });
  await sender.acknowledged(1, 60_000);
  const acknowledgedMs = Math.round(performance.now() - startedAt);
  await engine.ready(60_000);
  const readyMs = Math.round(performance.now() - startedAt);
  await waitFor('the first of them has arrived', () => target.partner.progress(), {
    wanted: ({ received }) => received > 0,
    withinMs: 60_000,
  });
  context.say(
    `started in ${startedMs} ms (${emptyMs} ms with nothing queued), a first acknowledgment after ` +
      `${acknowledgedMs} ms, ready after ${readyMs} ms, a first delivery after ${toSeconds(startedAt)} s; ` +
      `memory ${toList(await engine.memory())}`,
  );
  // On a machine that is busy with other tests, an empty start takes long as well.
  const allowedMs = context.isShort ? Math.max(readyWithinMs, 2 * emptyMs) : readyWithinMs;
  context.promise(
    readyMs <= allowedMs,
    `ready ${readyMs} ms after the start with ${backlog} queued, at most ${allowedMs} are allowed`,
  );
  await sender.finish(60_000);
  const goal = context.isShort ? 2_000 : backlog + (await sender.progress()).acknowledged;
  const drainedAt = performance.now();
  await waitFor(`${goal} of them have arrived`, () => target.partner.progress(), {
    wanted: ({ distinct }) => distinct >= goal,
    withinMs: context.isShort ? 120_000 : 3_600_000,
  });
  context.say(
    `${goal} delivered ${toSeconds(drainedAt)} s later; memory ${toList(await engine.memory())}`,
  );
  account(context, await target.partner.report(), goal);
}

/** In the order of queueing and each once; all of them in the long form. */
function account(context: FaultContext, report: PartnerReport, goal: number): void {
  const indexes = Int32Array.from({ length: backlog }, (_, at) => first + at);
  const counts = count(
    {
      indexes,
      sends: new Int32Array(backlog).fill(1),
      // Those that are still queued in the short form were not acknowledged to anybody.
      latenciesMs: new Float64Array(backlog).fill(context.isShort ? Number.NaN : 0),
      refused: [],
      wrongAnswers: 0,
    },
    report,
  );
  context.say(`of the ${goal}: ${describeCounts(counts)}`);
  context.promise(counts.lost.length === 0, `${counts.lost.length} of the backlog were lost`);
  context.promise(counts.duplicates === 0, `${counts.duplicates} of the backlog came twice`);
  context.promise(counts.disordered.length === 0, `${counts.disordered.length} came out of order`);
}

const quiet = (): void => undefined;
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** As the intake does it, with as many under way at a time as make few transactions of it. */
async function fill(settings: Settings, { isInLane }: Form): Promise<void> {
  const { databaseFile, ownerSocket, rabbitmqUrl } = settings;
  const owner = await openOwner({ file: databaseFile, socket: ownerSocket, logger });
  const client = await connectOwner({ socket: ownerSocket, logger });
  const broker =
    rabbitmqUrl === undefined
      ? client.broker
      : await openRabbitBroker({ url: rabbitmqUrl, logger, timeoutMs: 120_000 });
  const queue = queueOf.inbound(flow);
  const order = isInLane ? { order: { lanes: 1 } } : {};
  await broker.declare({ name: queue, interface: flow, ...order });
  for (let next = 0; next < backlog; next += batchSize) {
    const envelopes = Array.from({ length: batchSize }, (_, at) =>
      buildEnvelope(first + next + at),
    );
    await store({ broker, ledger: client.ledger, queue, envelopes });
  }
  if (broker !== client.broker) await broker.close();
  await client.close();
  await owner.close();
}

async function store(to: {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly queue: string;
  readonly envelopes: readonly Envelope[];
}): Promise<void> {
  const { broker, ledger, queue, envelopes } = to;
  await Promise.all([
    ...envelopes.map((envelope) => broker.publish(queue, envelope)),
    ledger.append(
      envelopes.flatMap((envelope) => [
        { type: 'message', envelope } as const,
        {
          type: 'event',
          event: { messageId: envelope.id, kind: 'queued', at: envelope.receivedAt, queue },
        } as const,
      ]),
    ),
  ]);
}

function buildEnvelope(index: number): Envelope {
  const id = randomUUID();
  return {
    id,
    interface: flow,
    contentType: 'application/hl7-v2',
    messageType: 'ORU^R01^ORU_R01',
    controlId: controlIdOf(index),
    key: `patient ${patientOf(index)}`,
    correlationId: id,
    receivedAt: new Date().toISOString(),
    attempt: 1,
    body: buildMessage(index),
  };
}

function toSeconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function toList(memory: ReadonlyMap<string, number>): string {
  return [...memory].map(([name, mebibytes]) => `${name} ${mebibytes.toFixed(0)} MiB`).join(', ');
}
