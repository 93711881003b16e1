import type { OwnerClient } from '../../../connectors/sqlite/client.ts';
import type { LedgerEntry, LedgerEventKind } from '../../../core/ports/ledger.ts';
import { PuttingBack } from '../../../runtime/admin/putting-back.ts';
import { overrideIn } from '../../support/edge.ts';
import { buildMessage, OwnerHere, silent } from '../owner.ts';

const queue = 'in.loose';
const issues = [{ code: 'refused', severity: 'error', message: 'It was refused.' }] as const;

let owner: OwnerHere;
let client: OwnerClient;
let puttingBack: PuttingBack;
/** In the order in which the broker took them. */
let taken: string[];
/** Which publication the broker refuses, by its number. */
let refused: number;
let tries: number;

beforeEach(async () => {
  owner = new OwnerHere();
  await owner.open();
  client = await owner.connect();
  [taken, refused, tries] = [[], 0, 0];
  const broker = overrideIn(client.broker, {
    publish: (_queue, { id }) => {
      tries += 1;
      if (tries === refused) return Promise.reject(new Error('away'));
      taken.push(id);
      return Promise.resolve();
    },
  });
  const queues = () => new Map([[queue, { isOrdered: false }]]);
  // Broker and ledger are not of one piece.
  const stores = { broker, ledger: client.ledger };
  puttingBack = new PuttingBack({ stores, logger: silent, queues });
});

afterEach(() => owner.close());

async function resume(): Promise<string> {
  const envelope = buildMessage('M1');
  await client.ledger.append([
    { type: 'message', envelope },
    event(envelope.id, 'parked', { issues }),
    event(envelope.id, 'resumed'),
  ]);
  return envelope.id;
}

let now = Date.now();
function event(messageId: string, kind: LedgerEventKind, more: object = {}): LedgerEntry {
  const at = new Date((now += 1)).toISOString();
  return { type: 'event', event: { messageId, kind, at, queue, ...more } };
}

it('puts back each once where the broker goes away on the way', async () => {
  const ids = [await resume(), await resume(), await resume()];
  refused = 3;
  await expect(puttingBack.work()).rejects.toThrow('away');
  expect(taken).toEqual(ids.slice(0, 2));
  await puttingBack.work();
  await puttingBack.work();
  expect(taken).toEqual(ids);
  expect(puttingBack.count).toBe(3);
});

it('begins anew where some before it are in doubt', async () => {
  const ids = [await resume(), await resume()];
  await puttingBack.work();
  refused = 4;
  puttingBack.doubt(queue);
  await expect(puttingBack.work()).rejects.toThrow('away');
  puttingBack.doubt(queue);
  await puttingBack.work();
  await puttingBack.work();
  expect(taken).toEqual([...ids, ids[0], ...ids]);
});
