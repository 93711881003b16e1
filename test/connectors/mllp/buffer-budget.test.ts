import { createBufferBudget } from '../../../connectors/mllp/buffer-budget.ts';
import { createMllpSource } from '../../../connectors/mllp/server.ts';
import { connectRaw, createLogRecorder } from './peer.ts';

describe('what connections may hold together', () => {
  it('is read no further beyond it, and read on when something was answered', () => {
    let woken = 0;
    const budget = createBufferBudget(100);
    const [first, second] = [budget.open(() => (woken += 1)), budget.open(() => (woken += 1))];
    first.hold({ unanswered: 60, unfinished: 0 });
    expect(second.isFull()).toBe(false);
    second.hold({ unanswered: 0, unfinished: 40 });
    expect([first.isFull(), second.isFull()]).toEqual([true, true]);
    first.hold({ unanswered: 60, unfinished: 0 });
    expect(woken).toBe(0);
    first.hold({ unanswered: 0, unfinished: 0 });
    expect(woken).toBe(2);
    expect([first.isFull(), second.isFull()]).toEqual([false, false]);
  });

  it('where unfinished messages alone fill it lets the one that began first go on', () => {
    const budget = createBufferBudget(100, createBufferBudget(100));
    let woken = 0;
    const first = budget.open(() => undefined);
    const second = budget.open(() => (woken += 1));
    first.hold({ unanswered: 0, unfinished: 50 });
    second.hold({ unanswered: 0, unfinished: 50 });
    expect([first.isFull(), second.isFull()]).toEqual([false, true]);
    first.hold({ unanswered: 90, unfinished: 0 });
    expect([first.isFull(), second.isFull()]).toEqual([true, true]);
    first.close();
    expect(woken).toBeGreaterThan(0);
    expect(second.isFull()).toBe(false);
  });

  it('is bounded by what it lies within, and given back by whoever closes', () => {
    const outer = createBufferBudget(100);
    const [left, right] = [createBufferBudget(1000, outer), createBufferBudget(1000, outer)];
    const big = left.open(() => undefined);
    let woken = 0;
    const other = right.open(() => (woken += 1));
    big.hold({ unanswered: 100, unfinished: 0 });
    expect(other.isFull()).toBe(true);
    big.close();
    expect(woken).toBe(1);
    expect(other.isFull()).toBe(false);
  });
});

it('a listener takes no more than it may hold while nothing is answered, and everything in the end', async () => {
  const bytes = 50_000;
  const maxBufferedBytes = 5 * bytes;
  const held: (() => void)[] = [];
  const arrived = Promise.withResolvers<undefined>();
  let isOpen = false;
  const source = createMllpSource({
    host: '127.0.0.1',
    port: 0,
    maxFrameBytes: 1_000_000,
    idleTimeoutMs: 1_000,
    maxBufferedBytes,
    logger: createLogRecorder(),
    accept: async ({ bytes: { length } }) => {
      if (!isOpen) {
        await new Promise<void>((resolve) => {
          held.push(resolve);
          // Those after it are read no further.
          if (held.length * bytes >= maxBufferedBytes) arrived.resolve(undefined);
        });
      }
      return Buffer.from(`ack ${length}`);
    },
  });
  await source.start();
  const peers = await Promise.all(
    Array.from({ length: 40 }, () => connectRaw(source.address ?? { host: '', port: 0 })),
  );
  for (const peer of peers) for (let count = 0; count < 3; count += 1) peer.send('x'.repeat(bytes));
  await arrived.promise;
  // Longer than a connection may be silent: whoever is not read is not silent.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(held.length * bytes).toBeLessThanOrEqual(maxBufferedBytes + bytes);
  isOpen = true;
  for (const resolve of held.splice(0)) resolve();
  for (const peer of peers) {
    for (let count = 0; count < 3; count += 1) expect(await peer.answer()).toBe(`ack ${bytes}`);
  }
  for (const peer of peers) peer.close();
  await source.stop({ drainMs: 0 });
});
