import { fuzz } from './fuzz.ts';

it('20,000 mutated messages and frames break no law and cost what their size costs', () => {
  const { failures, inputs } = fuzz(20_261_125, (done) => done >= 20_000);
  expect(inputs).toBe(20_000);
  expect(failures.map(({ law, number, reason }) => `${number} ${law}: ${reason}`)).toEqual([]);
}, 300_000);
