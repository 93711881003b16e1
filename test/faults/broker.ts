import type { RabbitServer } from '../support/rabbitmq.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { Engine } from './harness/engine.ts';
import { queueOf, writeFlows } from './harness/flows.ts';
import { Partner } from './harness/partner.ts';
import type { FaultContext, Scenario } from './harness/scenario.ts';
import { Sender } from './harness/sender.ts';
import { settleAccounts, startRabbitFor } from './harness/setup.ts';
import { pause, waitFor } from './harness/wait.ts';
import { findFreePorts } from '../support/ports.ts';

const flow = 'cut';
const user = 'hilum';
const oldPassword = 'maple-sextant-4';
const newPassword = 'walrus-lantern-9';
const recoverWithinMs = 60_000;

/** Hilum on a RabbitMQ of its own, with a network in between that does as it is told. */
interface Bench {
  readonly context: FaultContext;
  readonly engine: Engine;
  readonly rabbit: RabbitServer;
  readonly network: TcpProxy;
  readonly partner: Partner;
  readonly port: number;
}

export const broker: Scenario = {
  name: 'broker',
  what: 'what befalls RabbitMQ: cuts, an alarm, a deleted queue, a foreign one, another password',
  brokers: ['rabbitmq'],
  async run(context) {
    const bench = await prepare(context);
    await refuseForeignQueue(bench);
    await cutConnections(bench);
    await raiseAlarm(bench);
    await deleteQueue(bench);
    await rotatePassword(bench);
  },
};

async function prepare(context: FaultContext): Promise<Bench> {
  const rabbit = await startRabbitFor(context);
  await rabbit.ctl('add_user', user, oldPassword);
  // As docs/operate.md has it.
  await rabbit.ctl(
    ...['set_permissions', '-p', '/', user],
    ...['^hilum\\..*', '^(hilum\\..*|amq\\.default)$', '^hilum\\..*'],
  );
  const network = await openTcpProxy({ port: rabbit.port });
  context.atEnd(() => network.close());
  const partner = await Partner.start(context);
  const [port = 0] = await findFreePorts(1);
  const engine = await Engine.prepare(context, {
    flows: writeFlows(context.folder, [{ id: flow, listenPort: port, partnerPort: partner.port }]),
    env: { RABBITMQ_URL: toUrl(network, oldPassword) },
  });
  return { context, engine, rabbit, network, partner, port };
}

function toUrl(network: TcpProxy, password: string): string {
  return `amqp://${user}:${password}@127.0.0.1:${network.port}`;
}

/** A queue with our name and other arguments: Hilum says so, names the command that helps, and leaves it. */
async function refuseForeignQueue({ context, engine, rabbit }: Bench): Promise<void> {
  const name = `hilum.${queueOf.inbound(flow)}`;
  await rabbit.ctl('eval', declareClassic(name));
  const words = await engine.start().then(
    () => 'it started',
    (error: unknown) => String(error),
  );
  const remedy = `rabbitmqctl delete_queue ${name}`;
  context.promise(
    words.includes('broker-topology-differs') || words.includes('with other arguments'),
    `a foreign queue: expected to be told that it has other arguments, found: ${words.slice(0, 500)}`,
  );
  context.promise(
    words.includes(remedy),
    `a foreign queue: expected the remedy "${remedy}", found: ${words.slice(0, 500)}`,
  );
  await engine.stop();
  await rabbit.ctl('delete_queue', name);
  context.say(
    `a foreign queue: refused in words; ready after its deletion in ${await engine.start()} ms`,
  );
}

/** There is no declaring in rabbitmqctl, and the management plugin is not there. */
function declareClassic(name: string): string {
  const resource = `rabbit_misc:r(<<"/">>, queue, <<"${name}">>)`;
  return `rabbit_amqqueue:declare(${resource}, true, false, [], none, <<"faults">>), ok.`;
}

/** The network is cut under load, a few times for a moment and once for longer. */
async function cutConnections(bench: Bench): Promise<void> {
  const { context, engine, network, port } = bench;
  const cuts = context.isShort ? 3 : (context.options.rounds ?? 20);
  const sender = Sender.start(context);
  await sender.send(port, { connections: 8, ratePerSecond: 200 });
  const seen = engine.output().length;
  for (let cut = 0; cut < cuts; cut += 1) {
    await sender.acknowledged(30, recoverWithinMs);
    await pause(context.random.whole(200));
    network.cut();
  }
  await sender.acknowledged(30, recoverWithinMs);
  network.refuse();
  await pause(context.isShort ? 1_000 : 20_000);
  network.restore();
  await sender.acknowledged(30, recoverWithinMs);
  network.stall();
  await pause(context.isShort ? 1_000 : 5_000);
  network.restore();
  await sender.acknowledged(30, recoverWithinMs);
  await finish(bench, sender, {
    what: `${cuts} cuts, one outage and one stall`,
    // An AMQP acknowledgment may be lost with the connection, but the ledger knows what has arrived.
    mayRedeliver: 0,
    keepsOrder: false,
  });
  expectWords(bench, seen, ['RabbitMQ connection lost; connecting again', 'RabbitMQ connected']);
}

/** Out of memory, RabbitMQ takes nothing: senders wait without an acknowledgment, and nothing is restarted. */
async function raiseAlarm(bench: Bench): Promise<void> {
  const { context, engine, rabbit, port } = bench;
  const sender = Sender.start(context);
  await sender.send(port, { connections: 8, ratePerSecond: 100 });
  await sender.acknowledged(20, recoverWithinMs);
  const seen = engine.output().length;
  await rabbit.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
  await waitFor('Hilum is told of the alarm', () => engine.linesSince(seen).join('\n'), {
    wanted: (text) => text.includes('RabbitMQ blocks publishers'),
    withinMs: 20_000,
  });
  const { status, text } = await engine.readyz();
  context.promise(
    status === 503,
    `an alarm: expected /readyz to answer 503, found ${status} ${text}`,
  );
  context.promise(
    text.includes('broker-blocked') && text.includes('"since"'),
    `an alarm: expected /readyz to say that RabbitMQ blocks, and since when, found ${text}`,
  );
  context.say(`an alarm: /readyz says ${text}`);
  const held = (await sender.progress()).acknowledged;
  // Past the 15 s after which a publish is given up, in the long form.
  await pause(context.isShort ? 2_000 : 20_000);
  const during = (await sender.progress()).acknowledged - held;
  context.promise(
    during <= 8,
    `an alarm: ${during} messages were acknowledged while nothing was stored`,
  );
  await rabbit.ctl('set_vm_memory_high_watermark', '0.6');
  await sender.acknowledged(50, recoverWithinMs);
  await engine.ready(recoverWithinMs);
  await finish(bench, sender, { what: 'an alarm', mayRedeliver: 0, keepsOrder: true });
  expectWords(bench, seen, ['RabbitMQ blocks publishers', 'RabbitMQ takes messages again']);
}

/** Whatever was in it is gone, so it is deleted empty; made again with the next connection. */
async function deleteQueue(bench: Bench): Promise<void> {
  const { context, engine, rabbit, network, port } = bench;
  const seen = engine.output().length;
  // The one lane that an ordered queue has: it is published to, and consumed.
  await rabbit.ctl('delete_queue', `hilum.${queueOf.inbound(flow)}.lane.0`);
  const sender = Sender.start(context);
  await sender.send(port, { connections: 4, ratePerSecond: 50 });
  await waitFor('a message is refused or goes unanswered', () => sender.progress(), {
    wanted: ({ refused, resent }) => refused + resent > 0,
    withinMs: 20_000,
  });
  const { acknowledged } = await sender.progress();
  context.promise(
    acknowledged === 0,
    `a deleted queue: ${acknowledged} messages were acknowledged while it was not there`,
  );
  const { status, text } = await engine.readyz();
  context.promise(
    status === 503 && text.includes('queue-missing') && text.includes(queueOf.inbound(flow)),
    `a deleted queue: expected /readyz to answer 503 and to name it, found ${status} ${text}`,
  );
  context.say(`a deleted queue: /readyz says ${text}`);
  network.cut();
  await sender.acknowledged(30, recoverWithinMs);
  await engine.ready(recoverWithinMs);
  await finish(bench, sender, { what: 'a deleted queue', mayRedeliver: 0, keepsOrder: true });
  expectWords(bench, seen, ['does not exist on RabbitMQ']);
}

/** With the old password nobody gets in any more: that is said, and a start with the new one goes on. */
async function rotatePassword(bench: Bench): Promise<void> {
  const { context, engine, rabbit, network, port } = bench;
  const sender = Sender.start(context);
  await sender.send(port, { connections: 8, ratePerSecond: 100 });
  await sender.acknowledged(20, recoverWithinMs);
  const seen = engine.output().length;
  await rabbit.ctl('change_password', user, newPassword);
  network.cut();
  await waitFor('Hilum says that it is refused', () => engine.linesSince(seen).join('\n'), {
    wanted: (text) => text.includes('Check user, password and virtual host (RABBITMQ_URL'),
    withinMs: 30_000,
  });
  const { status, text } = await engine.readyz();
  context.promise(status === 503, `another password: expected 503 of /readyz, found ${status}`);
  context.promise(
    text.includes('broker-access-refused') && text.includes('RABBITMQ_URL'),
    `another password: expected /readyz to say what to do about it, found ${text}`,
  );
  context.say(`another password: /readyz says ${text}`);
  context.promise(
    ![oldPassword, newPassword].some((password) => engine.output().includes(password)),
    'another password: the log shows a password',
  );
  await engine.stop();
  engine.set('RABBITMQ_URL', toUrl(network, newPassword));
  await engine.start();
  await sender.acknowledged(30, recoverWithinMs);
  await finish(bench, sender, { what: 'another password', mayRedeliver: 1, keepsOrder: true });
}

async function finish(
  { context, engine, partner }: Bench,
  sender: Sender,
  expected: { readonly what: string; readonly mayRedeliver: number; readonly keepsOrder: boolean },
): Promise<void> {
  await sender.finish(recoverWithinMs);
  await settleAccounts(context, engine, { ...expected, sender, partner, withinMs: 90_000 });
  await sender.end();
}

/** The words that docs/operate.md promises. */
function expectWords({ context, engine }: Bench, since: number, words: readonly string[]): void {
  const text = engine.linesSince(since).join('\n');
  for (const each of words) {
    context.promise(text.includes(each), `expected the log to say "${each}", and it does not`);
  }
}
