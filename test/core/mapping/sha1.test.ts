import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { toSha1, toUuid } from '../../../core/mapping/sha1.ts';

test('equals the hash of node:crypto for every text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(Buffer.from(toSha1(text))).toEqual(createHash('sha1').update(text, 'utf8').digest());
    }),
  );
});

test('makes a UUID of version 5, always the same for the same name', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(toUuid(name)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(toUuid(name)).toBe(toUuid(name));
    }),
  );
});
