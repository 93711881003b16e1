import fc from 'fast-check';
import { findPlaceholders, resolveEnv } from '../../nodes/definitions.ts';
import {
  hostName,
  listenPort,
  portNumber,
  topicName,
  topicPattern,
} from '../../nodes/shared/fields.ts';

describe('variables in a field', () => {
  it.each([
    ['${A}', 'one'],
    ['http://host:${A}/x/${B}', 'http://host:one/x/two'],
    ['${A}${A}', 'oneone'],
    ['${UNKNOWN}', '${UNKNOWN}'],
    ['$A ${} ${ A}', '$A ${} ${ A}'],
    ['', ''],
  ])('%s becomes %s', (text, resolved) => {
    expect(resolveEnv(text, { A: 'one', B: 'two' })).toBe(resolved);
  });

  it('are named, so that one that is not set can be reported', () => {
    expect(findPlaceholders(resolveEnv('${A}-${B}', { A: 'x' }))).toEqual(['B']);
  });

  it('leave text without variables as it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('${')),
        (text) => resolveEnv(text, { A: 'x' }) === text,
      ),
    );
  });
});

describe('a field', () => {
  it('takes exactly the ports that exist', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -10, max: 100_000 }),
        (port) => portNumber(String(port)).ok === (port >= 1 && port <= 65_535),
      ),
    );
    expect(listenPort('0')).toEqual({ ok: true, value: 0 });
  });

  it.each(['lab.example.org', 'localhost', '10.0.0.7', '::1', '[fe80::1]', 'ehr_test'])(
    'takes the host %s',
    (host) => {
      expect(hostName(host).ok).toBe(true);
    },
  );

  it.each(['lab:2575', 'http://lab', 'a b', '-lab', ':::'])('refuses the host %s', (host) => {
    expect(hostName(host).ok).toBe(false);
  });

  it('takes every topic as a pattern too', () => {
    const word = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const topic = words.join('.');
        return topicName(topic).ok && topicPattern(topic).ok;
      }),
    );
  });

  it.each(['*', '#', 'lab.*.result', 'lab.#'])(
    'takes the pattern %s, which is no topic',
    (pattern) => {
      expect(topicPattern(pattern).ok).toBe(true);
      expect(topicName(pattern).ok).toBe(false);
    },
  );
});
