// How fast messages are read, beside npm `hl7v2` on the same ones: `node test/bench/hl7v2.ts [--ours]`.
// Rates are messages per second of processor time, medians of five rounds after two to warm up.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { readHeader } from '../../core/hl7v2/header.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { validate } from '../../core/hl7v2/validate.ts';

const paths = [
  'MSH-10',
  'MSH-9.2',
  'PID-3.1',
  'PID-5.1',
  'PID-5.2',
  'PID-7',
  'PID-8',
  'PID-11.5',
  'PV1-3.2',
  'PV1-19.1',
];

interface Row {
  readonly library: string;
  readonly task: string;
  readonly message: string;
  readonly perSecond: number;
}

const adt = readFileSync(join(import.meta.dirname, '../../samples/adt-a01.hl7'), 'utf8');
const pool = {
  ADT_A01: buildPool(adt, 64),
  'ORU 30 OBX': buildPool(buildResult(30), 64),
  'ORU 500 OBX': buildPool(buildResult(500), 8),
};

function buildResult(count: number): string {
  const sample = readFileSync(join(import.meta.dirname, '../../samples/oru-r01.hl7'), 'utf8');
  const segments = sample
    .split('\r')
    .filter((segment) => !/^(?:OBX|NTE|SPM)/.test(segment) && segment !== '');
  const observations = Array.from(
    { length: count },
    (_, at) =>
      `OBX|${at + 1}|NM|2345-7^Glucose^LN||${at}.5|mg/dL^^UCUM|70-99|N|||F|||20260312083000+0100`,
  );
  return `${[...segments, ...observations].join('\r')}\r`;
}

function buildPool(text: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => text.replace('2026-0', `${at}-0`));
}

function measure(texts: readonly string[], run: (text: string) => void): number {
  const rates = Array.from({ length: 7 }, () => {
    const started = process.cpuUsage();
    let used = 0;
    let done = 0;
    while (used < 300_000) {
      for (const text of texts) run(text);
      done += texts.length;
      const { user, system } = process.cpuUsage(started);
      used = user + system;
    }
    return (done / used) * 1e6;
  });
  return rates.slice(2).sort((a, b) => a - b)[2] ?? 0;
}

function parse(text: string): Hl7Message {
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error('Expected a message.');
  return parsed.message;
}

/** Keeps the results in use, so that nothing is optimised away. */
let kept = 0;

function keep(value: string | undefined): void {
  kept += value?.length ?? 0;
}

const definitions = openDefinitions();
const tasks: Readonly<Record<string, (text: string) => void>> = {
  'read header': (text) => keep(String(readHeader(text).ok)),
  'parse + read 10': (text) => {
    const message = parse(text);
    for (const path of paths) keep(message.get(path));
  },
  'parse + set 1': (text) => keep(parse(text).set('PID-5.1', 'Someone').text),
  validate: (text) => (kept += validate(parse(text), definitions).length),
};

const rows: Row[] = [];
for (const [message, texts] of Object.entries(pool)) {
  for (const [task, run] of Object.entries(tasks)) {
    rows.push({ library: 'hilum', task, message, perSecond: measure(texts, run) });
  }
}

if (!process.argv.includes('--ours')) {
  const { HL7Message } = await import('hl7v2');
  for (const [message, texts] of Object.entries(pool)) {
    const perSecond = measure(texts, (text) => {
      const parsed = HL7Message.parse(text);
      for (const path of paths) {
        const [name = '', field = '', component = ''] = path.split(/[-.]/);
        const value: unknown = parsed
          .getSegment(name)
          ?.field(Number(field))
          .getValue(component === '' ? 1 : Number(component));
        keep(typeof value === 'string' ? value : '');
      }
    });
    rows.push({ library: 'hl7v2', task: 'parse + read 10', message, perSecond });
  }
}

for (const { library, task, message, perSecond } of rows) {
  const rate = Math.round(perSecond).toLocaleString('en').padStart(10);
  process.stdout.write(`${library.padEnd(8)}${task.padEnd(18)}${message.padEnd(14)}${rate}/s\n`);
}
if (kept === 0) throw new Error('Expected values to be read.');
