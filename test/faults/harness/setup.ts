import { startRabbit, type RabbitServer } from '../../support/rabbitmq.ts';
import { findFreePorts } from '../../support/ports.ts';
import { count, describeCounts, type Counts } from './counts.ts';
import { Engine } from './engine.ts';
import { writeFlows, type FlowSpec } from './flows.ts';
import { Partner } from './partner.ts';
import type { FaultContext } from './scenario.ts';
import type { Sender } from './sender.ts';
import { controlIdOf, patients } from './messages.ts';
import { waitFor } from './wait.ts';

/** One interface with its partner. */
export interface Interface {
  readonly id: string;
  /** Where its listener is. */
  readonly port: number;
  readonly partner: Partner;
}

export interface Setup {
  readonly engine: Engine;
  readonly rabbit: RabbitServer | undefined;
  /** In the order in which they were asked for. */
  readonly interfaces: readonly Interface[];
}

/** A partner for each interface, the flows, the broker that the options name, and Hilum, not yet started. */
export async function setUp(
  context: FaultContext,
  specs: Readonly<Record<string, Omit<FlowSpec, 'id' | 'listenPort' | 'partnerPort'>>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Setup> {
  const ids = Object.keys(specs);
  const rabbit = context.options.broker === 'rabbitmq' ? await startRabbitFor(context) : undefined;
  const ports = await findFreePorts(ids.length);
  const partners = await Promise.all(ids.map(() => Partner.start(context)));
  const flows: FlowSpec[] = ids.map((id, at) => ({
    ...specs[id],
    id,
    listenPort: ports[at] ?? 0,
    partnerPort: partners[at]?.port ?? 0,
  }));
  const engine = await Engine.prepare(context, {
    flows: writeFlows(context.folder, flows),
    env: { ...(rabbit === undefined ? {} : { RABBITMQ_URL: rabbit.url }), ...env },
  });
  return {
    engine,
    rabbit,
    interfaces: ids.map((id, at) => ({
      id,
      port: ports[at] ?? 0,
      partner: partners[at] ?? unreachable(),
    })),
  };
}

export async function startRabbitFor(context: FaultContext): Promise<RabbitServer> {
  const rabbit = await startRabbit();
  context.atEnd(() => rabbit.stop());
  return rabbit;
}

/**
 * Resolves when no queue holds anything and the partner has taken, or refused for good, as many of the sender's
 * messages as were acknowledged: a queue may look empty while they are set aside, or lie with a consumer that ended.
 */
async function drained(
  engine: Engine,
  load: { readonly sender: Sender; readonly partner: Partner; readonly withinMs: number },
): Promise<void> {
  const { acknowledged } = await load.sender.progress();
  const ask = async () => {
    const queues = await engine.queues();
    return {
      waiting: sum(queues.map(({ ready, unsettled }) => ready + unsettled)),
      concluded: (await load.partner.progress(load.sender.first)).concluded,
      acknowledged,
    };
  };
  await waitFor('the queues are empty and everything acknowledged has arrived', ask, {
    wanted: ({ waiting, concluded }) => waiting === 0 && concluded >= acknowledged,
    withinMs: load.withinMs,
  });
}

/** Waits for the queues to empty, counts, says the figures, and holds them against what is always promised. */
export async function settleAccounts(
  context: FaultContext,
  engine: Engine,
  load: {
    readonly sender: Sender;
    readonly partner: Partner;
    readonly withinMs: number;
    readonly what: string;
    /** How many messages Hilum may have delivered again: 0 where nothing explains it. */
    readonly mayRedeliver: number;
    /** False where the documentation says that a fault may change the order. */
    readonly keepsOrder?: boolean;
  },
): Promise<Counts> {
  let undrained: string | undefined;
  try {
    await drained(engine, load);
  } catch (error) {
    undrained = error instanceof Error ? error.message : String(error);
  }
  const counts = count(await load.sender.report(), await load.partner.report());
  const { what, mayRedeliver, keepsOrder = true } = load;
  const again = new Set(counts.redelivered.map(({ index }) => index));
  context.say(`${what}: ${describeCounts(counts)}`);
  const promise = (kept: boolean, words: string): void =>
    context.promise(kept, `${what}: ${words}`);
  promise(undrained === undefined, undrained ?? '');
  promise(
    counts.lost.length === 0,
    `${counts.lost.length} messages were acknowledged and lost, such as ${counts.lost.slice(0, 5).join()}`,
  );
  for (const index of counts.lost.slice(0, 5)) {
    context.say(`what Hilum knows of ${index}: ${await engine.describe(controlIdOf(index))}`);
  }
  for (const index of keepsOrder ? counts.disordered.slice(0, 3) : []) {
    for (const each of [index, index + patients]) {
      context.say(`what Hilum knows of ${each}: ${await engine.describe(controlIdOf(each))}`);
    }
  }
  if (undrained !== undefined) context.say(`queues: ${JSON.stringify(await engine.queues())}`);
  promise(
    again.size <= mayRedeliver,
    `${again.size} messages were delivered again, at most ${mayRedeliver} may be`,
  );
  if (keepsOrder) {
    promise(
      counts.disordered.length === 0,
      `${counts.disordered.length} messages came after a later one of their patient`,
    );
  }
  promise(counts.altered.length === 0, `${counts.altered.length} messages were altered`);
  promise(counts.wrongAnswers === 0, `${counts.wrongAnswers} answers were for another message`);
  return counts;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function unreachable(): never {
  throw new Error('Unreachable.');
}
