import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { ShapeResult } from '../support/settlement-host.ts';
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

  it.each(
    buildShapes(0).map(({ name, expected, notBeforeMs }) => [name, expected, notBeforeMs] as const),
  )('settles "%s" as %s, not before %i ms', (name, expected, notBeforeMs) => {
    const result = results.get(name);
    expect(result?.kinds).toEqual([expected]);
    expect(result?.earliestMs).toBeGreaterThanOrEqual(notBeforeMs);
  });

  it('takes no message while the flows stop: it goes back to its queue', () => {
    expect(results.get('while stopping')).toMatchObject({ kinds: ['aborted'], received: 0 });
  });
});
