import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a value is read, in the terms that every library knows: numbers are 1-based. */
export interface Position {
  readonly segment: string;
  /** Which of the segments of that name. */
  readonly occurrence: number;
  readonly field: number;
  readonly component: number;
}

/** Messages of one kind that differ from one another, and what is read and set in each. */
export interface Workload {
  readonly name: string;
  readonly texts: readonly string[];
  /** Ten values. */
  readonly read: readonly Position[];
  readonly set: Position;
}

const samples = join(import.meta.dirname, '../../../samples');
const adt = readFileSync(join(samples, 'adt-a01.hl7'), 'utf8');

/** ADT_A01 of 1.4 kB, ORU_R01 with 30 and with 500 OBX. */
export const workloads: readonly Workload[] = [
  {
    name: 'ADT_A01',
    texts: buildPool(adt, 64),
    read: [
      at('MSH', 9, 1),
      at('MSH', 9, 2),
      at('MSH', 10),
      at('PID', 3, 1),
      at('PID', 5, 1),
      at('PID', 5, 2),
      at('PID', 7),
      at('PID', 8),
      at('PV1', 2),
      at('PV1', 19, 1),
    ],
    set: at('PID', 5, 1),
  },
  buildResults('ORU 30 OBX', 30, 64),
  buildResults('ORU 500 OBX', 500, 8),
];

function buildResults(name: string, observations: number, count: number): Workload {
  return {
    name,
    texts: buildPool(buildResult(observations), count),
    read: [
      at('MSH', 9, 1),
      at('MSH', 10),
      at('PID', 3, 1),
      at('PID', 5, 1),
      at('PID', 7),
      at('OBR', 4, 1),
      at('OBX', 3, 1),
      at('OBX', 5),
      { ...at('OBX', 5), occurrence: 21 },
      { ...at('OBX', 6, 1), occurrence: 21 },
    ],
    set: at('PID', 5, 1),
  };
}

function at(segment: string, field: number, component = 1): Position {
  return { segment, occurrence: 1, field, component };
}

function buildResult(count: number): string {
  const sample = readFileSync(join(samples, 'oru-r01.hl7'), 'utf8');
  const segments = sample
    .split('\r')
    .filter((segment) => !/^(?:OBX|NTE|SPM)/.test(segment) && segment !== '');
  const observations = Array.from(
    { length: count },
    (_, index) =>
      `OBX|${index + 1}|NM|${1000 + index}-8^Analyte ${index + 1} in Serum^LN||${((index + 1) * 1.37).toFixed(2)}|mg/dL^milligram per deciliter^UCUM|70-99|${index % 3 === 0 ? 'H' : 'N'}|||F|||20260312083000+0100||TECH${index % 9}`,
  );
  return `${[...segments, ...observations].join('\r')}\r`;
}

/** Strings of their own: a copy of one would be read from what the engine remembers of the first. */
function buildPool(text: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    Buffer.from(text.replace('2026-0', `${1000 + index}-0`)).toString('utf8'),
  );
}
