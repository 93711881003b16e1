import type { Kept } from '../../../runtime/admin/kept.ts';
import { Decisions, type Decision } from '../../../runtime/held/decisions.ts';

const decisionOf = (id: string): Decision => ({
  ...{ id, decision: 'skip', by: 'ada', at: `2026-01-01T00:00:00.00${id.length}Z` },
  ...{ messages: 3, done: 0, reached: {} },
});

/** Each reading sees what is there when it begins, and is answered when its gate opens. */
class SlowKept implements Kept {
  readonly where = 'memory';
  text: string | undefined;
  isAway = false;
  readonly gates: (() => void)[] = [];
  isSlow = false;

  async read(): Promise<string | undefined> {
    const { text } = this;
    if (this.isSlow) await new Promise<void>((resolve) => this.gates.push(resolve));
    return text;
  }

  write(text: string): Promise<void> {
    if (this.isAway) return Promise.reject(new Error('away'));
    this.text = text;
    return Promise.resolve();
  }

  get ids(): readonly string[] {
    return (JSON.parse(this.text ?? '[]') as readonly Decision[]).map(({ id }) => id);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
let kept: SlowKept;
let decisions: Decisions;

beforeEach(() => {
  kept = new SlowKept();
  decisions = new Decisions(kept);
});

it('keeps both of two that are made at the same time', async () => {
  kept.isSlow = true;
  const adding = [decisions.add(decisionOf('a')), decisions.add(decisionOf('bb'))];
  await turn();
  // The first is written before the second has read what was there before it.
  kept.gates.shift()?.();
  await adding[0];
  expect(kept.ids).toEqual(['a']);
  kept.gates.shift()?.();
  await Promise.all(adding);
  expect(kept.ids).toEqual(['a', 'bb']);
  expect(decisions.list().map(({ id }) => id)).toEqual(['a', 'bb']);
});

it('does not bring back what is carried out while it is read', async () => {
  const decision = decisionOf('a');
  await decisions.add(decision);
  kept.isSlow = true;
  const loading = decisions.load();
  await turn();
  await decisions.remove(decision);
  kept.gates.shift()?.();
  await loading;
  expect(decisions.list()).toEqual([]);
  expect(kept.ids).toEqual([]);
});

it('carries out nothing that could not be kept, as whoever decided was told', async () => {
  const before = decisionOf('a');
  await decisions.add(before);
  kept.isAway = true;
  await expect(decisions.add({ ...before, decision: 'again', at: 'later' })).rejects.toThrow(
    'away',
  );
  await expect(decisions.add(decisionOf('bb'))).rejects.toThrow('away');
  expect(decisions.list()).toEqual([before]);
  kept.isAway = false;
  await decisions.flush();
  await decisions.load();
  expect(decisions.list()).toEqual([before]);
});
