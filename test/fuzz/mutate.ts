import type { Random } from './random.ts';

/** Bytes that mean something in a message or a frame, and some that never should be there. */
const meaningful = [
  '|',
  '^',
  '~',
  '\\',
  '&',
  '#',
  '\r',
  '\n',
  '\r\n',
  '\x0b',
  '\x1c',
  '\x1c\r',
  '""',
  '\0',
  'MSH|^~\\&|',
  'PID|',
  'OBX|1|NM|',
  'BHS|^~\\&|',
  'BTS|1\r',
  'FHS|^~\\&|',
  'FTS|1\r',
  'ADD|',
  'DSC|',
  '\rMSH|^~\\&|A',
  '\\F\\',
  '\\X0D\\',
  '\\XZ\\',
  '\\.br\\',
  '\\.sp9999\\',
  '\\.in-999\\',
  '\\H\\',
  '\\Z1\\',
  '\\C2842\\',
  '\\M2442\\',
  '20260230',
  '2026',
  '-',
  '+0000',
  '2.5.1',
  '2.8.2',
  '9.9',
  'ASCII',
  '8859/1',
  'UNICODE UTF-8',
  'UNICODE UTF-16',
  'ISO IR87',
  'GB 18030-2000',
  '\x1b$B',
  '\x1b(B',
  '\x1b$(D',
  '\xff',
  '\xc3',
  '\xe2\x82',
  '\x8e',
  '\xef\xbb\xbf',
].map((text) => Buffer.from(text, 'latin1'));

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    const at = random.whole(changed.length || 1);
    changed[at] = (changed[at] ?? 0) ^ (1 << random.whole(8));
    return changed;
  },
  (bytes, random) => insert(bytes, random, random.pick(meaningful)),
  (bytes, random) => insert(bytes, random, Buffer.from([random.whole(256), random.whole(256)])),
  (bytes, random) => {
    const [start, end] = chooseRange(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  (bytes, random) => {
    const [start, end] = chooseRange(bytes, random);
    return insert(bytes, random, bytes.subarray(start, end));
  },
  (bytes, random) => {
    const [start, end] = chooseRange(bytes, random, 12);
    const repeated = Buffer.alloc(
      (end - start) * (1 + random.whole(200)),
      bytes.subarray(start, end),
    );
    return insert(bytes, random, repeated);
  },
  (bytes, random) => bytes.subarray(0, random.whole(bytes.length + 1)),
  (bytes, random, other) =>
    Buffer.concat([
      bytes.subarray(0, random.whole(bytes.length + 1)),
      other.subarray(random.whole(other.length + 1)),
    ]),
  swapLines,
];

/** A message changed in one to eight places; `other` is one that it may be mixed with. */
export function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  let mutated = bytes;
  for (let left = 1 + random.whole(8); left > 0; left -= 1) {
    mutated = random.pick(mutations)(mutated, random, other);
  }
  return mutated;
}

function insert(bytes: Buffer, random: Random, part: Buffer): Buffer {
  const at = random.whole(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
}

function chooseRange(bytes: Buffer, random: Random, most = 80): readonly [number, number] {
  const start = random.whole(bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + random.whole(most))];
}

function swapLines(bytes: Buffer, random: Random): Buffer {
  const lines = bytes.toString('latin1').split('\r');
  const [left, right] = [random.whole(lines.length), random.whole(lines.length)];
  [lines[left], lines[right]] = [lines[right] ?? '', lines[left] ?? ''];
  return Buffer.from(lines.join('\r'), 'latin1');
}
