/**
 * `npm run bench -- mapping`: what a message costs from its bytes to a Bundle that the gate has passed, with and without
 * provenance; how that grows with the message; the first message of a process; and one Patient beside other libraries.
 */
import { spawnSync } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import path from 'node:path';
import { openFhirValidator } from '../../../connectors/file/fhir-schema.ts';
import { openMapper } from '../../../connectors/file/mapping-files.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { Mapper } from '../../../core/mapping/mapper.ts';
import { findMedian, measureRates } from '../measure.ts';
import { buildResult, patient, workloads } from './messages.ts';
import { loadPeers } from './peers.ts';

const root = path.join(import.meta.dirname, '..', '..', '..');
const mapper = openMapper(path.join(root, 'mappings'));
const gate = openFhirValidator();
const provenanceBar = 1.6;
const peerBar = 20;
const firstBarMs = 150;

/** How many entries its Bundle has. Throws where a message does not map, or what comes out is no valid FHIR. */
function mapOne(bytes: Buffer, { provenance }: { readonly provenance: boolean }): number {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) throw new Error(`Expected a message, found ${parsed.issues[0]?.message ?? ''}`);
  const { resource, issues, provenance: origins } = mapper.map(parsed.message, { provenance });
  const findings = resource === null ? issues : gate(resource);
  if (resource === null || findings.length > 0) {
    throw new Error(`Expected a valid Bundle, found ${JSON.stringify(findings.slice(0, 3))}`);
  }
  return (resource.entry?.length ?? 0) + origins.length;
}

async function measureMessages(): Promise<void> {
  console.log('From bytes to a Bundle that the gate has passed, µs of processor time a message:');
  for (const { name, bar, messages } of workloads) {
    if (!canMap(messages[0]!)) {
      console.log(`  ${name}: there is no map for it.`);
      continue;
    }
    const run = (provenance: boolean) => ({
      name: provenance ? 'with' : 'without',
      count: messages.length,
      run: () => messages.reduce((sum, bytes) => sum + mapOne(bytes, { provenance }), 0),
    });
    const rates = await measureRates([run(false), run(true)]);
    const [without = 0, withIt = 0] = ['without', 'with'].map((key) => 1e6 / rates.get(key)!);
    const ratio = withIt / without;
    console.log(
      `  ${name}: ${without.toFixed(0)} (bar ${bar}); with provenance ${withIt.toFixed(0)}, ` +
        `${ratio.toFixed(2)} times as much (bar ${provenanceBar})`,
    );
  }
}

function canMap(bytes: Buffer): boolean {
  const parsed = parseMessage(bytes);
  return parsed.ok && mapper.map(parsed.message).resource !== null;
}

/** One message of each size, five times in turns: a cost per observation that does not grow. */
function measureGrowth(): void {
  console.log('ORU_R01 of a growing number of observations, µs an observation:');
  const sizes = [250, 500, 1_000, 2_000];
  const costs = new Map(sizes.map((size): [number, number[]] => [size, []]));
  const noteLength = 2_300;
  for (let round = 0; round < 6; round += 1) {
    for (const size of sizes) {
      const bytes = buildResult(round, size, noteLength);
      const started = process.cpuUsage();
      mapOne(bytes, { provenance: false });
      const { user, system } = process.cpuUsage(started);
      if (round > 0) costs.get(size)?.push((user + system) / size);
    }
  }
  for (const [size, found] of costs) {
    const megabytes = buildResult(0, size, noteLength).length / 1e6;
    console.log(
      `  ${size} OBX, ${megabytes.toFixed(1)} MB: ${findMedian(found).toFixed(1)} µs each`,
    );
  }
}

/** In processes of their own, five times: from the bytes of the first message to its Bundle, all else being ready. */
function measureFirst(): void {
  const results = Array.from({ length: 5 }, () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(import.meta.dirname, 'first-process.ts')],
      { encoding: 'utf8' },
    );
    const [openMs, firstMs] = stdout.trim().split(' ').map(Number);
    if (openMs === undefined || firstMs === undefined) throw new Error(stderr);
    return { openMs, firstMs };
  });
  const [openMs, firstMs] = (['openMs', 'firstMs'] as const).map((key) =>
    findMedian(results.map((result) => result[key])),
  );
  console.log(
    `The first message of a process: ${firstMs!.toFixed(0)} ms (bar ${firstBarMs}); ` +
      `reading and compiling all mappings before it: ${openMs!.toFixed(0)} ms.`,
  );
}

async function measurePeers(): Promise<void> {
  console.log(
    'One equal Patient, µs of processor time (peers get it parsed, and need not check it):',
  );
  const own = openMapper(path.join(import.meta.dirname, 'patient'));
  const wanted = mapPatient(own);
  const peers = loadPeers();
  for (const peer of peers) {
    const found = await peer.map(patient.parsed);
    // Some make objects of their own prototype.
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(found)), wanted)) {
      throw new Error(`${peer.name} makes another Patient: ${JSON.stringify(found)}`);
    }
  }
  const count = 100;
  const rates = await measureRates([
    { name: 'hilum', count, run: () => repeat(count, () => Object.keys(mapPatient(own)).length) },
    ...peers.map(({ name, map }) => ({
      name,
      count,
      run: async () => {
        let sum = 0;
        for (let at = 0; at < count; at += 1)
          sum += Object.keys((await map(patient.parsed))!).length;
        return sum;
      },
    })),
  ]);
  const ours = rates.get('hilum')!;
  for (const [name, rate] of rates) {
    const times =
      name === 'hilum' ? '' : `, ${(ours / rate).toFixed(0)} times ours (bar ${peerBar})`;
    console.log(`  ${name}: ${(1e6 / rate).toFixed(1)}${times}`);
  }
}

/** The Patient alone, without the id that ours makes for it; parsing the message is part of it. */
function mapPatient(own: Mapper): object {
  const parsed = parseMessage(patient.message);
  if (!parsed.ok) throw new Error('Expected a message.');
  const resource = own.map(parsed.message).resource?.entry?.[0]?.resource;
  if (resource === undefined) throw new Error('Expected a Patient.');
  const { id: _, ...rest } = resource;
  return rest;
}

function repeat(count: number, run: () => number): number {
  let sum = 0;
  for (let at = 0; at < count; at += 1) sum += run();
  return sum;
}

await measureMessages();
measureGrowth();
measureFirst();
await measurePeers();
