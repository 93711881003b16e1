import fc from 'fast-check';
import { countExcess } from '../../../connectors/rabbitmq/lane-sharing.ts';

describe('the lanes that a consumer lets go of', () => {
  it.each([
    ['all but its share when others come', { lanes: 16, active: 16, sharers: 4 }, 12],
    ['none of its share', { lanes: 16, active: 4, sharers: 4 }, 0],
    ['none where it is alone', { lanes: 16, active: 16, sharers: 1 }, 0],
    ['none of a share that is rounded up', { lanes: 5, active: 3, sharers: 2 }, 0],
    ['none where there are more consumers than lanes', { lanes: 4, active: 1, sharers: 9 }, 0],
  ])('are %s', (_, given, expected) => {
    expect(countExcess(given)).toBe(expected);
  });

  it('never leave a consumer with more than its share while another has room for it', () => {
    const shares = fc
      .integer({ min: 1, max: 12 })
      .chain((sharers) =>
        fc.array(fc.integer({ min: 0, max: 16 }), { minLength: sharers, maxLength: sharers }),
      );
    fc.assert(
      fc.property(shares, (start) => {
        const held = [...start];
        const lanes = held.reduce((sum, count) => sum + count, 0);
        // Each in turn lets go, and the next in line gets it: as RabbitMQ does, in the order of their coming.
        for (let round = 0; round < held.length * held.length; round += 1) {
          const at = round % held.length;
          const excess = countExcess({ lanes, active: held[at] ?? 0, sharers: held.length });
          held[at] = (held[at] ?? 0) - excess;
          const next = (at + 1) % held.length;
          held[next] = (held[next] ?? 0) + excess;
        }
        const share = Math.ceil(lanes / held.length);
        expect(held.every((count) => count <= share)).toBe(true);
        expect(held.reduce((sum, count) => sum + count, 0)).toBe(lanes);
      }),
    );
  });
});
