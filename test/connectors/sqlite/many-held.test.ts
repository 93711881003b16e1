import path from 'node:path';
import { connectOwner, type OwnerClient } from '../../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../../connectors/sqlite/owner.ts';
import type { HeldCode } from '../../../core/held-code.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';
import { buildMessage, silent } from '../../runtime/owner.ts';
import { parkedKeys } from '../../support/parked.ts';
import { makeTempFolder } from '../../support/temp.ts';

const queue = 'in.lab';
const issues = [{ code: 'code-unmapped-held', severity: 'error', message: 'It waits.' }] as const;
/** Of a code each, and of one and the same. */
const [codes, ofOne] = [9_999, 25_001];

let owner: Owner;
let asking: OwnerClient;
let coming: OwnerClient;

beforeAll(async () => {
  const folder = makeTempFolder('many-held');
  const socket = path.join(folder, 'owner.sock');
  owner = await openOwner({ file: path.join(folder, 'hilum.db'), socket, logger: silent });
  asking = await connectOwner({ socket, logger: silent });
  coming = await connectOwner({ socket, logger: silent });
  await coming.broker.declare({ name: 'in.else', interface: 'lab' });
  for (let at = 0; at < codes + ofOne; at += 500) {
    const entries = Array.from({ length: 500 }, (_, one) => hold(at + one));
    await asking.ledger.append(entries.flat());
  }
}, 180_000);

afterAll(async () => {
  await asking.close();
  await coming.close();
  await owner.close();
});

function hold(at: number): readonly LedgerEntry[] {
  const code = at < codes ? `C${at}` : 'ONE';
  const held: HeldCode = {
    ...{ node: 'map', layers: '', map: 'PV1.Encounter', rule: 'PV1-3.ward', table: 'wards' },
    ...{ code, source: 'PV1-3' },
  };
  const envelope = buildMessage(`C${at}`, { key: `K${at}` });
  const parked = { messageId: envelope.id, kind: 'parked', queue, issues, held: [held] } as const;
  return [
    { type: 'message', envelope },
    { type: 'event', event: { ...parked, at: new Date().toISOString() } },
  ];
}

/** How long whoever sends a message waits, one after the other, until then. */
async function waitsUntil(end: Promise<unknown>): Promise<readonly number[]> {
  const waits: number[] = [];
  const state = { isOver: false };
  void end.finally(() => (state.isOver = true));
  while (!state.isOver) {
    const started = performance.now();
    await coming.broker.publish('in.else', buildMessage('M1'));
    waits.push(performance.now() - started);
  }
  return waits.sort((one, other) => one - other);
}

const p99 = (waits: readonly number[]): number => waits[Math.floor(waits.length * 0.99)] ?? 0;

it.each([
  ['what messages are held for', () => asking.ledger.held()],
  ['the keys with messages that are set aside', () => parkedKeys(asking.ledger, queue)],
])(
  'lets others in while somebody asks for %s',
  async (name, ask) => {
    const alone = await waitsUntil(new Promise((resolve) => setTimeout(resolve, 3_000)));
    const started = performance.now();
    const asked = ask();
    const beside = await waitsUntil(asked);
    const spentMs = performance.now() - started;
    const [aloneMs, besideMs] = [p99(alone), p99(beside)].map(Math.round);
    process.stdout.write(
      `${name}: ${(await asked).length} in ${Math.round(spentMs)} ms; p99 of a publish ${besideMs} ms, alone ${aloneMs} ms, most ${Math.round(beside.at(-1) ?? 0)} ms\n`,
    );
    // As one question it stood still for all that time, and nobody came in but before and after it.
    expect(beside.length).toBeGreaterThan(10);
    expect(p99(beside)).toBeLessThan(Math.max(100, 5 * p99(alone), spentMs / 10));
  },
  120_000,
);

it('counts a group that is too large for one turn as a whole', async () => {
  const groups = await asking.ledger.held();
  const large = groups.find(({ messages }) => messages > 1);
  expect(large).toMatchObject({ messages: ofOne, codes: [{ code: 'ONE' }] });
  expect(large).not.toHaveProperty('waiting');
  expect(large?.examples).toHaveLength(3);
}, 60_000);

it('gives those first that were set aside first', async () => {
  const groups = await asking.ledger.held();
  expect(groups).toHaveLength(10_000);
  const times = groups.map(({ firstAt }) => firstAt);
  expect(times).toEqual([...times].sort());
}, 60_000);

it('finds at once what is set aside of a queue that has little, whatever others have', async () => {
  const envelope = buildMessage('few', { key: 'few' });
  const at = new Date().toISOString();
  await asking.ledger.append([
    { type: 'message', envelope },
    { type: 'event', event: { messageId: envelope.id, kind: 'parked', queue: 'in.few', at } },
  ]);
  expect(await asking.ledger.parked({ queue: 'in.none', limit: 10 })).toEqual({ keys: [] });
  const found = await asking.ledger.parked({ queue: 'in.few', limit: 10 });
  expect(found).toMatchObject({ keys: [{ key: 'few', firstId: envelope.id }] });
  expect(found).not.toHaveProperty('next');
}, 60_000);
