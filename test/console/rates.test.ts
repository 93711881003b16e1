import fc from 'fast-check';
import { Rates } from '../../console/api/rates.ts';
import type { LedgerCount } from '../../core/ports/ledger.ts';

const counts = (queued: number, delivered = 0): LedgerCount[] => [
  { interface: 'lab', queue: 'q', kind: 'queued', count: queued },
  { interface: 'lab', queue: 'q', kind: 'delivered', count: delivered },
  { interface: 'lab', queue: 'other', kind: 'queued', count: 1_000_000 },
];

it('is nothing before two looks, and for an unknown queue', () => {
  const rates = new Rates();
  expect(rates.perMinute('q')).toEqual({ in: 0, out: 0 });
  rates.observe(counts(500), 0);
  expect(rates.perMinute('q')).toEqual({ in: 0, out: 0 });
  expect(rates.perMinute('unknown')).toEqual({ in: 0, out: 0 });
});

it('counts the last minute, and does not multiply what a young console has seen', () => {
  const rates = new Rates();
  rates.observe(counts(100), 0);
  rates.observe(counts(110, 4), 5000);
  expect(rates.perMinute('q')).toEqual({ in: 10, out: 4 });
});

it('forgets what was more than a minute ago', () => {
  const rates = new Rates();
  for (let second = 0; second <= 300; second += 1) {
    rates.observe(counts(Math.min(second, 60) * 10), second * 1000);
  }
  expect(rates.perMinute('q')).toEqual({ in: 0, out: 0 });
});

it('does not go below zero when the ledger counts from less', () => {
  const rates = new Rates();
  rates.observe(counts(100, 100), 0);
  rates.observe(counts(3, 1), 60_000);
  expect(rates.perMinute('q')).toEqual({ in: 0, out: 0 });
});

it('finds a steady rate, however often it looks', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 500, max: 10_000 }),
      fc.integer({ min: 0, max: 50 }),
      (everyMs, perSecond) => {
        const rates = new Rates();
        for (let at = 0; at <= 200_000; at += everyMs) {
          rates.observe(counts(Math.floor((at * perSecond) / 1000)), at);
        }
        expect(Math.abs(rates.perMinute('q').in - perSecond * 60)).toBeLessThanOrEqual(2);
      },
    ),
  );
});

it('has a history of sixty steps, which add up to what came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ms: fc.integer({ min: 100, max: 15_000 }), more: fc.nat(50) }), {
        minLength: 1,
        maxLength: 50,
      }),
      (looks) => {
        const rates = new Rates();
        let at = 0;
        let total = 0;
        rates.observe(counts(0), 0);
        for (const { ms, more } of looks) {
          at += ms;
          total += more;
          rates.observe(counts(total), at);
        }
        const steps = rates.history('q').in;
        expect(steps).toHaveLength(60);
        expect(steps.reduce((sum, step) => sum + step, 0)).toBe(total);
      },
    ),
  );
});
