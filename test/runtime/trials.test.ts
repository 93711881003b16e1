import { setImmediate } from 'node:timers/promises';
import { Trials } from '../../runtime/flow/trials.ts';

/** Runs that say when they begin and end when they are told to. */
function follow() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<string> => {
    begun.push(name);
    return new Promise((resolve) => {
      ends.set(name, () => {
        resolve(name);
      });
    });
  };
  return { begun, work, end: (name: string): void => ends.get(name)?.() };
}

it('runs any number beside each other, at once', () => {
  const trials = new Trials();
  const { begun, work } = follow();
  void trials.run(work('a'));
  void trials.run(work('b'));
  expect(begun).toEqual(['a', 'b']);
});

it('runs one alone: behind those under way, and before those that come later', async () => {
  const trials = new Trials();
  const { begun, work, end } = follow();
  const first = trials.run(work('first'));
  const alone = trials.runAlone(work('alone'));
  const next = trials.runAlone(work('next'));
  const later = trials.run(work('later'));
  expect(begun).toEqual(['first']);
  for (const [at, run] of [first, alone, next].entries()) {
    const name = begun[at]!;
    expect(begun).toEqual(['first', 'alone', 'next'].slice(0, at + 1));
    end(name);
    expect(await run).toBe(name);
    while (begun.length === at + 1) await setImmediate();
  }
  end('later');
  expect(await later).toBe('later');
});

it('goes on where the one that is alone fails', async () => {
  const trials = new Trials();
  const failing = trials.runAlone(() => Promise.reject(new Error('Not stored.')));
  const later = trials.run(() => Promise.resolve('later'));
  await expect(failing).rejects.toThrow('Not stored.');
  expect(await later).toBe('later');
});

it('lets nobody wait longer than the bound', async () => {
  const trials = new Trials(10);
  const { work } = follow();
  void trials.run(work('for ever'));
  void trials.runAlone(work('alone for ever'));
  expect(await trials.run(() => Promise.resolve('later'))).toBe('later');
});
