import type { FlowNode } from '../../core/interface.ts';
import { functionNode, mllpIn, mllpOut, send, writeFlows } from '../support/flow-files.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { openPartner } from '../support/partner.ts';
import { findFreePorts } from '../support/ports.ts';

describe("an analyst's own flows", () => {
  let hilum: RunningHilum;
  let ports: readonly number[] = [];
  let plain: Awaited<ReturnType<typeof openPartner>>;
  let subscriber: Awaited<ReturnType<typeof openPartner>>;

  beforeAll(async () => {
    plain = await openPartner(true);
    subscriber = await openPartner(true);
    ports = await findFreePorts(4);
    const [poisonPort = 0, eventPort = 0, strictPort = 0, slowPort = 0] = ports;
    const poison =
      'if (msg.payload.includes("POISON")) { Promise.reject(new Error("no")); } return msg;';
    hilum = await startHilum({
      HILUM_FLOWS: writeFlows({
        poison: [
          mllpIn('poison-in', poisonPort, 'poison-do'),
          functionNode('poison-do', poison, 'poison-out'),
          mllpOut('poison-out', plain.port),
        ],
        events: [
          mllpIn('events-in', eventPort, 'events-out'),
          {
            id: 'events-out',
            type: 'queue out',
            name: '',
            topic: 'lab.any',
            keep: false,
            wires: [[]],
          },
          ...['one', 'two'].flatMap((name): FlowNode[] => [
            { id: `sub-${name}`, type: 'queue in', name, topic: 'lab.*', wires: [[`to-${name}`]] },
            mllpOut(`to-${name}`, subscriber.port),
          ]),
        ],
        slow: [
          mllpIn('slow-in', slowPort, 'slow-out'),
          { ...mllpOut('slow-out', plain.port), wires: [['slow-do'], []] },
          functionNode('slow-do', 'await new Promise((r) => setTimeout(r, 4000));', ''),
        ],
        strict: [
          mllpIn('strict-in', strictPort, 'strict-out', 'validated'),
          mllpOut('strict-out', plain.port),
        ],
      }),
    });
  }, 120_000);

  afterAll(async () => {
    await hilum.stop();
    plain.close();
    subscriber.close();
  }, 60_000);

  it('give an event to every subscriber, once each', async () => {
    const [, port = 0] = ports;
    for (const index of [1, 2, 3]) {
      expect(await send(port, buildLabResult({ index, patient: 1 }))).toMatch(/^AA/);
    }
    await until(
      () => Promise.resolve(subscriber.got.length),
      (count) => count >= 6,
      15_000,
    );
    const expected = [1, 1, 2, 2, 3, 3].map(controlIdOf);
    expect([...subscriber.got].sort()).toEqual(expected);
  });

  it('answer AE with the place of the fault before anything is queued, where asked to validate', async () => {
    const [, , port = 0] = ports;
    const partner = await MllpPartner.connect(port);
    const invalid = buildLabResult({ index: 20, patient: 1 }).replace(/^OBR\|.*\r/m, 'OBR|1\r');
    const answer = await partner.send(invalid);
    expect(readAnswer(answer)).toBe(`AE ${controlIdOf(20)}`);
    expect(answer).toMatch(/\rERR\|\|OBR\^1\^4/);
    expect(readAnswer(await partner.send(buildLabResult({ index: 21, patient: 1 })))).toMatch(
      /^AA/,
    );
    partner.close();
    await until(
      () => Promise.resolve(plain.got),
      (got) => got.includes(controlIdOf(21)),
      10_000,
    );
    expect(plain.got).not.toContain(controlIdOf(20));
    const trace = (await hilum.cli('trace', controlIdOf(20))).stdout;
    expect(trace).toMatch(/refused .*answered AE/);
  });

  it('send once what was sent before the stores went away in the middle of a flow', async () => {
    const [, , , port = 0] = ports;
    expect(await send(port, buildLabResult({ index: 40, patient: 1 }))).toMatch(/^AA/);
    await until(
      () => Promise.resolve(plain.got),
      (got) => got.includes(controlIdOf(40)),
      10_000,
    );
    await hilum.kill('owner');
    await until(
      () => hilum.kinds(controlIdOf(40)),
      (kinds) => kinds.includes('processed'),
      30_000,
    );
    expect(plain.got.filter((id) => id === controlIdOf(40))).toHaveLength(1);
    const replayed = await hilum.cli('replay', controlIdOf(40));
    expect(replayed.code).toBe(0);
  }, 60_000);

  it('give up the message that ends the worker, and it alone', async () => {
    const [port = 0] = ports;
    const poison = buildLabResult({ index: 11, patient: 1 }).replace('CBC panel', 'POISON');
    const messages = [10, 11, 12, 13].map((index) =>
      index === 11 ? poison : buildLabResult({ index, patient: 1 }),
    );
    for (const message of messages) expect(await send(port, message)).toMatch(/^AA/);
    await until(
      () => hilum.kinds(controlIdOf(11)),
      (kinds) => kinds.includes('dead-lettered'),
      90_000,
    );
    const trace = (await hilum.cli('trace', controlIdOf(11))).stdout;
    expect(trace).toContain('worker-ended');
    const innocent = [10, 12, 13].map(controlIdOf);
    await until(
      () => Promise.resolve(innocent.filter((id) => plain.got.includes(id)).length),
      (count) => count === innocent.length,
      15_000,
    );
    for (const id of innocent) expect(plain.got.filter((each) => each === id)).toHaveLength(1);
  }, 150_000);
});

it('flows that cannot start leave console and listeners running, and say why', async () => {
  const [port = 0] = await findFreePorts(1);
  const hilum = await startHilum({
    HILUM_FLOWS: writeFlows({
      odd: [
        mllpIn('odd-in', port, 'odd-node'),
        { id: 'odd-node', type: 'no such node', wires: [[]] },
      ],
    }),
  });
  expect(hilum.output()).toMatch(
    /Not running: worker default: Node types are missing: no such node/,
  );
  expect((await fetch(`${hilum.consoleUrl}/healthz`)).status).toBe(200);
  expect((await fetch(`${hilum.consoleUrl}/readyz`)).status).toBe(503);
  expect(await send(port, buildLabResult({ index: 30, patient: 1 }))).toMatch(/^AA/);
  expect(await hilum.stop()).toBe(0);
}, 60_000);
