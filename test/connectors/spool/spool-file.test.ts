import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { SpoolFile } from '../../../connectors/spool/spool-file.ts';
import { makeTempFolder } from '../../support/temp.ts';
import { quietLogger as logger } from '../sqlite/support.ts';

const mebibyte = 1024 * 1024;

let file: string;
beforeEach(() => (file = path.join(makeTempFolder('spool'), 'deep', 'edge.spool')));

async function open(maxBytes = mebibyte): Promise<SpoolFile> {
  const spool = await SpoolFile.open({ file, maxBytes, logger });
  if (spool === undefined) throw new Error('Another has it.');
  return spool;
}

/** Everything that is left, in the order in which it is read. */
async function drain(spool: SpoolFile, wantedBytes = 64): Promise<string[]> {
  const found: string[] = [];
  while (!spool.isEmpty) {
    const records = await spool.read(wantedBytes);
    found.push(...records.contents.map((content) => Buffer.from(content).toString()));
    spool.advance(records);
  }
  return found;
}

describe('a spool file', () => {
  it('gives back what was appended, in order, however much is read at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 200 }), { maxLength: 30 }),
        fc.integer({ min: 8, max: 500 }),
        async (texts, wantedBytes) => {
          const spool = await open();
          const stored = await Promise.all(texts.map((text) => spool.append(Buffer.from(text))));
          expect(stored).toEqual(texts.map(() => true));
          expect(await drain(spool, wantedBytes)).toEqual(texts);
          expect(await spool.reset()).toBe(true);
          expect(statSync(file).size).toBe(0);
          await spool.close();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps what was not read for the next who opens it, readable by its user alone', async () => {
    const first = await open();
    for (const text of ['one', 'two']) await first.append(Buffer.from(text));
    await first.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await open();
    expect(await drain(second)).toEqual(['one', 'two']);
    await second.close();
  });

  it('is had by one at a time', async () => {
    const first = await open();
    expect(await SpoolFile.open({ file, maxBytes: mebibyte, logger })).toBeUndefined();
    await first.close();
    await (await open()).close();
  });

  it('leaves out a record that was cut short, keeps a copy, and goes on behind the last whole one', async () => {
    const first = await open();
    for (const text of ['one', 'two', 'three']) await first.append(Buffer.from(text));
    await first.close();
    truncateSync(file, statSync(file).size - 2);
    const cut = readFileSync(file);
    const second = await open();
    expect(readFileSync(`${file}.unreadable`).equals(cut)).toBe(true);
    await second.append(Buffer.from('four'));
    expect(await drain(second)).toEqual(['one', 'two', 'four']);
    await second.close();
  });

  it('tells a changed byte, and what is no record at all', async () => {
    const first = await open();
    for (const text of ['one', 'two']) await first.append(Buffer.from(text));
    await first.close();
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = 0;
    writeFileSync(file, bytes);
    const second = await open();
    expect(await drain(second)).toEqual(['one']);
    await second.close();
    writeFileSync(file, Buffer.alloc(100, 255));
    const third = await open();
    expect(third.isEmpty).toBe(true);
    await third.close();
  });

  it('takes no more than it may, and takes more again when it was emptied', async () => {
    const spool = await open(100);
    const record = Buffer.alloc(40);
    const taken = await Promise.all([record, record, record].map((each) => spool.append(each)));
    expect(taken).toEqual([true, true, false]);
    expect(await spool.reset()).toBe(false);
    await drain(spool);
    expect(await spool.append(record)).toBe(false);
    expect(await spool.reset()).toBe(true);
    expect(await spool.append(record)).toBe(true);
    await spool.close();
  });

  it('leaves nothing behind where nobody needs it any more', async () => {
    const spool = await open();
    await spool.close({ remove: true });
    expect([file, `${file}.lock`].filter((each) => existsSync(each))).toEqual([]);
  });
});
