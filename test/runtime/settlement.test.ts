import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Doubts, ShapeResult } from '../support/settlement-host.ts';
import { buildShapes } from '../support/settlement-shapes.ts';

describe('settlement on the pinned Node-RED', () => {
  const results = new Map<string, ShapeResult>();

  beforeAll(() => {
    const host = path.join(import.meta.dirname, '..', 'support', 'settlement-host.ts');
    const run = spawnSync(process.execPath, [host], { encoding: 'utf8', timeout: 60_000 });
    if (run.status !== 0) throw new Error(run.stderr);
    for (const line of run.stdout.trim().split('\n')) {
      const result = JSON.parse(line) as ShapeResult;
      results.set(result.name, result);
    }
  }, 70_000);

  const shapes = buildShapes(0);
  const exact = shapes.filter(({ refused }) => refused === undefined);

  it.each(
    exact.map((shape) => [shape.name, shape.expected, shape.notBeforeMs, shape.delivered] as const),
  )('settles "%s" as %s, not before %i ms', (name, expected, notBeforeMs, delivered) => {
    const result = results.get(name);
    expect(result?.kinds).toEqual([expected]);
    expect(result?.earliestMs).toBeGreaterThanOrEqual(notBeforeMs);
    if (delivered !== undefined) expect(result?.received).toBe(delivered);
    // Whatever is still taken after a message was settled is lost if the process ends there.
    if (expected !== 'timed-out') expect(result?.receivedInAll).toBe(result?.received);
  });

  it('reports each node that sent for a settled message, and no other', () => {
    const { lateBefore, late } = results.get('doubts') as unknown as Doubts;
    const refused = shapes.filter((shape) => shape.refused?.endsWith('sends-later'));
    expect(lateBefore).toEqual([]);
    const senders = refused.map(({ tab, flow }) =>
      flow.some(({ id }) => id === `${tab}-f`) ? `${tab}-f` : `${tab}-n`,
    );
    expect(late).toEqual(senders.sort());
  });

  it('reports a node that cannot say when it is done, and none that is known', () => {
    const { neverDone } = results.get('doubts') as unknown as Doubts;
    expect(neverDone).toEqual(['test unknown']);
  });

  it('takes no message while the flows stop: it goes back to its queue', () => {
    expect(results.get('while stopping')).toMatchObject({ kinds: ['aborted'], received: 0 });
  });
});
