import { Throttle, loginLimits } from '../../console/api/throttle.ts';

let now = 0;
let throttle: Throttle;
beforeEach(() => {
  now = 0;
  throttle = new Throttle(() => now);
});

/** How many of these attempts were let through. */
const admitted = (count: number, name: (index: number) => [string, string]): number =>
  Array.from({ length: count }, (_, index) => throttle.attempt(...name(index))).filter(
    (waitMs) => waitMs === 0,
  ).length;

it('limits one user at one address', () => {
  expect(admitted(100, () => ['ada', '10.0.0.1'])).toBe(loginLimits.pair.count);
});

it('limits one address that tries many users', () => {
  expect(admitted(100, (index) => [`user${index}`, '10.0.0.1'])).toBe(loginLimits.address.count);
});

it('limits guesses at one user from many addresses', () => {
  expect(admitted(100, (index) => ['ada', `10.0.0.${index}`])).toBe(loginLimits.user.count);
});

it('leaves a user alone who was guessed at from one other address', () => {
  admitted(100, () => ['ada', '10.0.0.66']);
  expect(throttle.attempt('ada', '10.0.0.1')).toBe(0);
});

it('says how long to wait, and lets through again after that', () => {
  admitted(5, () => ['ada', '10.0.0.1']);
  now += 60_000;
  const waitMs = throttle.attempt('ada', '10.0.0.1');
  expect(waitMs).toBe(loginLimits.pair.windowMs - 60_000);
  now += waitMs;
  expect(throttle.attempt('ada', '10.0.0.1')).toBe(0);
});

it('does not count what was right', () => {
  for (let count = 0; count < 1000; count += 1) {
    expect(throttle.attempt('ada', '10.0.0.1')).toBe(0);
    throttle.succeed('ada', '10.0.0.1');
  }
});
