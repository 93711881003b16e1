import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TraceView, QueueView } from '../../console/api/views.ts';
import { countInEhr, findInEhr } from '../support/ehr.ts';
import { startHilum, until, type RunningHilum } from '../support/hilum.ts';
import { buildLabResult, controlIdOf } from '../support/lab-results.ts';
import { MllpPartner, readAnswer } from '../support/mllp.ts';
import { readWaitedMs } from '../support/processor.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const sample = readFileSync(path.join(root, 'samples', 'oru-r01.hl7'), 'latin1');
const sampleId = sample.split('|')[9] ?? '';

/** The product's main job, as its users do it, over whatever broker `env` names. */
export function describeLabResults(
  name: string,
  env: () => Promise<Readonly<Record<string, string | undefined>>>,
): void {
  describe(`lab results over ${name}`, () => {
    let hilum: RunningHilum;

    beforeAll(async () => {
      hilum = await startHilum(await env());
    }, 60_000);

    afterAll(async () => {
      expect(await hilum.stop()).toBe(0);
    }, 60_000);

    it('is ready within 15 seconds and says what runs where', async () => {
      const { processes } = await hilum.status();
      // What the machine did meanwhile for others does not count; the processes start one after the other.
      const waitedMs = processes.map(({ pid }) => (pid === undefined ? 0 : readWaitedMs(pid)));
      const othersMs = waitedMs.reduce((sum, ms) => sum + ms, 0);
      expect(hilum.startedAfterMs - othersMs).toBeLessThan(15_000);
      expect(hilum.output()).toContain(`${hilum.consoleUrl}/editor/`);
      expect(hilum.output()).toContain('/setup');
      const health = await fetch(`${hilum.consoleUrl}/healthz`);
      expect(health.status).toBe(200);
      const ready = await fetch(`${hilum.consoleUrl}/readyz`);
      expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
      const metrics = await (await fetch(`${hilum.consoleUrl}/metrics`)).text();
      expect(metrics).toContain('hilum_queue_ready');
      // What it says to do first works as it stands.
      expect(hilum.output()).toContain(`send --port ${hilum.mllpPort} samples/oru-r01.hl7`);
    });

    it('carries a sample to the EHR within a second', async () => {
      const sent = await hilum.cli(
        ...['send', '--port', String(hilum.mllpPort), 'samples/oru-r01.hl7'],
      );
      expect(sent.stdout).toMatch(new RegExp(`^AA ${sampleId} \\d+(\\.\\d+)? ms$`, 'm'));
      expect(sent.code).toBe(0);
      await until(
        () => countInEhr(hilum.ehrUrl, 'DiagnosticReport'),
        (count) => count === 1,
        1_000,
      );
      expect(await countInEhr(hilum.ehrUrl, 'Patient')).toBe(1);
      expect(await countInEhr(hilum.ehrUrl, 'Observation')).toBeGreaterThan(1);
    });

    it('traces it, step by step', async () => {
      const trace = await until(
        async () => {
          const { code, stdout } = await hilum.cli('trace', sampleId, '--json');
          return code === 0 ? (JSON.parse(stdout) as TraceView) : undefined;
        },
        (found) => found?.messages.every(({ state }) => state !== 'queued') === true,
        5_000,
      );
      const kinds = trace?.steps.map(({ kind }) => kind) ?? [];
      expect(kinds).toEqual(
        expect.arrayContaining(['received', 'queued', 'taken', 'sent', 'processed', 'delivered']),
      );
      expect(trace?.messages[0]?.controlId).toBe(sampleId);
      const changed = await hilum.cli('trace', sampleId, '--payloads');
      expect(changed.stdout).toMatch(/#1 in its flow, by node\n\n1\. hl7 map /);
      const text = await hilum.cli('trace', sampleId);
      expect(text.stdout).toMatch(/\+\d+ ms +#1 +received/);
      expect((await hilum.cli('trace', 'NOSUCHID')).code).toBe(1);
    });

    it('makes no second report of a message that is sent or replayed again', async () => {
      const before = await countInEhr(hilum.ehrUrl, 'Observation');
      await hilum.cli('send', '--port', String(hilum.mllpPort), 'samples/oru-r01.hl7');
      const replayed = await hilum.cli('replay', sampleId);
      expect(replayed.code).toBe(0);
      await until(
        async () => (await hilum.cli('trace', replayed.stdout.trim(), '--json')).stdout,
        (text) => (text.match(/"kind": "delivered"/g) ?? []).length >= 2,
        10_000,
      );
      expect(await countInEhr(hilum.ehrUrl, 'DiagnosticReport')).toBe(1);
      expect(await countInEhr(hilum.ehrUrl, 'Observation')).toBe(before);
    });

    it('gives every result of many patients to the EHR once, though the worker is killed', async () => {
      const patients = 100;
      const reports = 1_000;
      const connections = 8;
      const messages = Array.from({ length: reports }, (_, index) =>
        buildLabResult({ index, patient: index % patients }),
      );
      let answered = 0;
      let killing: Promise<void> | undefined;
      const sendShare = async (share: number): Promise<void> => {
        const partner = await MllpPartner.connect(hilum.mllpPort);
        for (let index = share; index < reports; index += connections) {
          expect(readAnswer(await partner.send(messages[index] ?? ''))).toBe(
            `AA ${controlIdOf(index)}`,
          );
          answered += 1;
          if (answered === reports / 2) killing = hilum.kill('worker default');
        }
        partner.close();
      };
      await Promise.all(Array.from({ length: connections }, (_, share) => sendShare(share)));
      await killing;
      expect(answered).toBe(reports);

      await until(
        async () =>
          (await hilum.queues())
            .filter(({ queue }) => !queue.startsWith('event.'))
            .reduce((sum, { ready, unsettled }) => sum + ready + unsettled, 0),
        (waiting) => waiting === 0,
        90_000,
      );
      await until(
        () => countInEhr(hilum.ehrUrl, 'DiagnosticReport'),
        (count) => count === reports + 1,
        30_000,
      );
      expect(await countInEhr(hilum.ehrUrl, 'Patient')).toBe(patients + 1);
      const observations = await findInEhr(hilum.ehrUrl, 'Observation', 'code=6690-2');
      expect(observations).toHaveLength(reports);
      const values = observations.map((found) => found['valueQuantity'] as { value: number });
      const sum = values.reduce((total, { value }) => total + value, 0);
      expect(sum).toBe(messages.reduce((total, _, index) => total + (index % 90) + 3, 0));
      const { processes } = await hilum.status();
      expect(processes.find(({ role }) => role === 'worker default')).toMatchObject({
        state: 'running',
        restarts: 1,
      });
    }, 180_000);

    it('answers what is no message with a refusal or a closed connection, and serves the next', async () => {
      const hostile = [
        Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
        Buffer.from('\u000bthis is no HL7\u001c\r', 'latin1'),
        Buffer.from('\u000bMSH|^~\\&|A\u001c\r', 'latin1'),
        Buffer.from('\u000b\u001c\r', 'latin1'),
        Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0xfc, 0x03, 0x03, 0xff, 0x00]),
        Buffer.concat([Buffer.from([0x0b]), Buffer.alloc(2_000, 0xff), Buffer.from([0x1c, 0x0d])]),
        Buffer.from(`\u000b${sample.slice(0, 300)}`, 'latin1'),
      ];
      for (const bytes of hostile) {
        const partner = await MllpPartner.connect(hilum.mllpPort);
        const answer = partner.write(bytes).then(readAnswer, () => 'closed');
        if (bytes[0] === 0x0b && !bytes.includes(0x1c)) partner.close();
        expect(await answer).toMatch(/^(AR|AE|closed)/);
        partner.close();
        const next = await MllpPartner.connect(hilum.mllpPort);
        expect(readAnswer(await next.send(sample))).toBe(`AA ${sampleId}`);
        next.close();
      }
      expect(hilum.output()).toMatch(/"level":"(warn|error)"/);
    });

    it('dead-letters what turns out invalid after it was acknowledged, with its reasons', async () => {
      const invalid = buildLabResult({ index: 5_001, patient: 1 }).replace(
        /^OBR\|.*\r/m,
        'OBR|1\r',
      );
      const partner = await MllpPartner.connect(hilum.mllpPort);
      expect(readAnswer(await partner.send(invalid))).toBe(`AA ${controlIdOf(5_001)}`);
      partner.close();
      await until(
        () => hilum.kinds(controlIdOf(5_001)),
        (kinds) => kinds.includes('dead-lettered'),
        10_000,
      );
      const trace = (await hilum.cli('trace', controlIdOf(5_001))).stdout;
      expect(trace).toMatch(/OBR(\[1\])?-4/);
      const queues = JSON.parse((await hilum.cli('queues', '--json')).stdout) as QueueView[];
      expect(queues.find(({ queue }) => queue.startsWith('in.'))?.dead).toBe(1);
    });

    it('keeps patient data out of its log', () => {
      expect(hilum.output()).not.toMatch(/MRN0|Sample\d/);
    });
  });
}
