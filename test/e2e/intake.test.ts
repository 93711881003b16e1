import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { FlowNode } from '../../core/interface.ts';
import { startHilum, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { findFreePorts } from '../support/ports.ts';
import { makeTempFolder } from '../support/temp.ts';

const mib = 1024 * 1024;
let hilum: RunningHilum;
let answersPort = 0;
let loadPort = 0;

function writeFlow(id: string, nodes: readonly FlowNode[]): readonly object[] {
  const tab = { id, type: 'tab', label: id, disabled: false, env: [] };
  return [tab, ...nodes.map((node) => ({ x: 100, y: 100, ...node, z: id }))];
}

const functionNode = (id: string, func: string, to: readonly string[]): FlowNode => ({
  ...{ id, type: 'function', name: id, func, outputs: 1, timeout: 0, noerr: 0 },
  ...{ initialize: '', finalize: '', libs: [], wires: [to] },
});

beforeAll(async () => {
  [answersPort = 0, loadPort = 0] = await findFreePorts(2);
  const folder = path.join(makeTempFolder('intake-flows'), 'flows');
  mkdirSync(folder);
  const respond = `
    if (msg.payload.includes('|SILENT')) return null;
    const id = msg.payload.split('|')[9];
    msg.payload = 'MSH|^~\\\\&|A|B|C|D|2026||ORL^O22^ORL_O22|R' + id + '|P|2.5.1\\rMSA|AA|' + id + '|M\\u00fcller\\r';
    return msg;`;
  const tabs = {
    answers: [
      {
        ...{ id: 'answers-in', type: 'mllp in', name: '', host: '', port: String(answersPort) },
        ...{ acknowledge: 'processed', wires: [['answers-do']] },
      },
      functionNode('answers-do', respond, ['answers-reply']),
      { id: 'answers-reply', type: 'hl7 reply', name: '', answer: 'payload', wires: [[]] },
    ],
    load: [
      {
        ...{ id: 'load-in', type: 'mllp in', name: '', host: '', port: String(loadPort) },
        ...{ acknowledge: 'received', maxBufferedMiB: '32', wires: [['load-do']] },
      },
      functionNode('load-do', 'return null;', []),
    ],
  };
  for (const [id, nodes] of Object.entries(tabs)) {
    writeFileSync(path.join(folder, `${id}.json`), JSON.stringify(writeFlow(id, nodes)));
  }
  hilum = await startHilum({ HILUM_FLOWS: folder, HILUM_DEMO: 'off' });
}, 150_000);

afterAll(async () => {
  await hilum.stop();
});

async function pidOf(role: string): Promise<number> {
  const found = (await hilum.status()).processes.find((each) => each.role === role);
  if (found?.pid === undefined) throw new Error(`No process is called ${role}.`);
  return found.pid;
}

/** As senders do: what was not answered is sent again, on a new connection. */
async function sendSurely(partner: MllpPartner, message: string): Promise<string> {
  for (let on = partner; ; on = await MllpPartner.connect(loadPort)) {
    try {
      return await on.send(message);
    } catch {
      on.close();
    }
  }
}

/** What the process has in memory, in bytes. */
function residentBytes(pid: number): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

it('a partner gets what hl7 reply answers in its flow, AA where it answers nothing, and both again', async () => {
  const partner = await MllpPartner.connect(answersPort);
  const order = buildLabResult({ index: 1, patient: 1 });
  const silent = buildLabResult({ index: 2, patient: 2 }).replace('Sample2', 'SILENT');
  const id = controlIdOf(1);
  const response = `MSH|^~\\&|A|B|C|D|2026||ORL^O22^ORL_O22|R${id}|P|2.5.1\rMSA|AA|${id}|M\u00fcller\r`;
  const [answered, acknowledged] = await Promise.all([partner.send(order), partner.send(silent)]);
  expect(answered).toBe(response);
  expect(readAnswer(acknowledged)).toBe(`AA ${controlIdOf(2)}`);
  expect(await partner.send(order)).toBe(response);
  expect(readAnswer(await partner.send(silent))).toBe(`AA ${controlIdOf(2)}`);
  partner.close();
}, 60_000);

it('200 connections that send 1 MiB each while nothing can be stored fill no memory, and lose nothing', async () => {
  const [edge, owner] = await Promise.all([pidOf('edge'), pidOf('owner')]);
  const partners = await Promise.all(
    Array.from({ length: 200 }, () => MllpPartner.connect(loadPort)),
  );
  const padding = `NTE|1||${'x'.repeat(mib)}\r`;
  const before = residentBytes(edge);
  let highest = before;
  const sampling = setInterval(() => (highest = Math.max(highest, residentBytes(edge))), 50);
  process.kill(owner, 'SIGSTOP');
  let answered = 0;
  const sending = partners.map(async (partner, index) => {
    const message = buildLabResult({ index: 1000 + index, patient: index });
    const answer = readAnswer(await sendSurely(partner, `${message}${padding}`));
    answered += 1;
    return answer;
  });
  const all = Promise.all(sending);
  await wait(2_000);
  expect(answered).toBe(0);
  process.kill(owner, 'SIGCONT');
  const answers = await all;
  clearInterval(sampling);
  expect(answers).toEqual(partners.map((_, index) => `AA ${controlIdOf(1000 + index)}`));
  // 32 MiB of messages, a few times over on their way to the owner; 200 MiB of them would be 800 and more.
  const grownMiB = Math.round((highest - before) / mib);
  expect(grownMiB).toBeLessThan(400);
  for (const partner of partners) partner.close();
}, 180_000);
