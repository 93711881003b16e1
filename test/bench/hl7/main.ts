/**
 * `npm run bench -- hl7`: how fast messages are read, edited and validated, beside other libraries and
 * beside what the machine can do at all.
 */
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { validate } from '../../../core/hl7v2/validate.ts';
import { measureRates, type Task } from '../measure.ts';
import { bareReader, scanMemory } from './limits.ts';
import { workloads, type Workload } from './messages.ts';
import { loadReaders, type Reader } from './readers.ts';

const scan = 'memory scan (limit)';
const readers = [...loadReaders(), bareReader];

for (const workload of workloads) {
  const bytes = Buffer.byteLength(workload.texts[0] ?? '');
  console.log(`\n${workload.name}, ${bytes} bytes`);
  await print('parse + read 10 values', [
    ...readers.map((reader) => toRead(reader, workload)),
    toScan(workload),
  ]);
  await print(
    'parse + set 1 + serialise',
    readers.map((reader) => toEdit(reader, workload)),
  );
  await print('parse + validate', [toValidate(workload)]);
}

function toRead({ name, read }: Reader, { texts, read: positions }: Workload): Task {
  return { name, count: texts.length, run: () => sum(texts, (text) => read(text, positions)) };
}

function toEdit({ name, edit }: Reader, { texts, set }: Workload): Task {
  return { name, count: texts.length, run: () => sum(texts, (text) => edit(text, set, 'Someone')) };
}

function toScan({ texts }: Workload): Task {
  const pool = texts.map((text) => Buffer.from(text));
  return { name: scan, count: pool.length, run: () => sum(pool, scanMemory) };
}

function toValidate({ texts }: Workload): Task {
  const run = (text: string): number => {
    const parsed = parseMessage(text);
    return parsed.ok ? 1 + validate(parsed.message, openDefinitions()).length : 0;
  };
  return { name: 'hilum', count: texts.length, run: () => sum(texts, run) };
}

function sum<T>(items: readonly T[], run: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += run(item);
  return total;
}

/** A line a library: its rate, and that rate as a multiple of ours, of the bare reader's and of the scan's. */
async function print(title: string, tasks: readonly Task[]): Promise<void> {
  const rates = await measureRates(tasks);
  const ratio = (rate: number, to: string): string => {
    const other = rates.get(to);
    return other === undefined ? '' : (rate / other).toFixed(2);
  };
  console.log(
    `  ${title.padEnd(27)}${['messages/s', '÷ hilum', '÷ bare', '÷ scan'].map((head) => head.padStart(12)).join('')}`,
  );
  for (const [name, rate] of rates) {
    const columns = [
      Math.round(rate).toLocaleString('en'),
      ratio(rate, 'hilum'),
      ratio(rate, bareReader.name),
      ratio(rate, scan),
    ];
    console.log(`    ${name.padEnd(25)}${columns.map((column) => column.padStart(12)).join('')}`);
  }
}
