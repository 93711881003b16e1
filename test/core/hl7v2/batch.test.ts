import fc from 'fast-check';
import { buildBatch, buildBatchBytes, buildBatchFile } from '../../../core/hl7v2/build-batch.ts';
import { joinBatch, joinBatchBytes, splitBatch } from '../../../core/hl7v2/split-batch.ts';

const one = 'MSH|^~\\&|A\rPID|1\r';
const two = 'MSH|^~\\&|B\rPID|2\r';
const fhs = 'FHS|^~\\&|LAB|||||||F1\r';
const bhs = 'BHS|^~\\&|LAB|||||||B1\r';

/** Where each message belongs: `file.batch.position`. */
function places(text: string): readonly string[] {
  return splitBatch(text).messages.map(
    ({ position, batch }) => `${batch.file.number}.${batch.number}.${position}`,
  );
}

function codes(text: string): readonly string[] {
  return splitBatch(text).issues.map(({ code }) => code);
}

describe('a batch is divided', () => {
  it.each([
    ['a message alone', [one], ['1.1.1'], []],
    ['messages alone', [one, two], ['1.1.1', '1.1.2'], []],
    ['a batch', [bhs, one, two, 'BTS|2\r'], ['1.1.1', '1.1.2'], []],
    ['a file', [fhs, bhs, one, 'BTS|1\r', bhs, two, 'BTS|1\r', 'FTS|2\r'], ['1.1.1', '1.2.1'], []],
    ['a file without batches', [fhs, one, two, 'FTS|1\r'], ['1.1.1', '1.1.2'], []],
    ['a file that counts no batches', [fhs, one, two, 'FTS|0\r'], ['1.1.1', '1.1.2'], []],
    ['an empty batch', [bhs, 'BTS|0\r'], [], []],
    ['an empty file', [fhs, 'FTS|0\r'], [], []],
    [
      'two files',
      [fhs, bhs, one, 'BTS\r', 'FTS\r', fhs, bhs, two, 'BTS\r', 'FTS\r'],
      ['1.1.1', '2.1.1'],
      [],
    ],
    ['counts that are empty or null', [fhs, bhs, one, 'BTS|""\r', 'FTS||x\r'], ['1.1.1'], []],
    ['messages behind a batch', [bhs, one, 'BTS|1\r', two], ['1.1.1', '1.2.1'], []],
    ['no BTS', [bhs, one, bhs, two, 'BTS|1\r'], ['1.1.1', '1.2.1'], ['batch-trailer-missing']],
    ['no BTS at the end', [bhs, one], ['1.1.1'], ['batch-trailer-missing']],
    ['no FTS', [fhs, bhs, one, 'BTS|1\r'], ['1.1.1'], ['file-trailer-missing']],
    ['neither', [fhs, bhs, one], ['1.1.1'], ['batch-trailer-missing', 'file-trailer-missing']],
    ['no BHS', [one, 'BTS|1\r'], ['1.1.1'], ['batch-header-missing']],
    ['no FHS', [bhs, one, 'BTS|1\r', 'FTS|1\r'], ['1.1.1'], ['file-header-missing']],
    ['too few messages', [bhs, one, 'BTS|2\r'], ['1.1.1'], ['batch-count-mismatch']],
    [
      'too many batches',
      [fhs, bhs, one, 'BTS\r', bhs, 'BTS\r', 'FTS|1\r'],
      ['1.1.1'],
      ['batch-count-mismatch'],
    ],
    ['a count that is none', [bhs, one, 'BTS|one\r'], ['1.1.1'], ['batch-count-invalid']],
    ['other lines', [bhs, one, 'BTS|1\r', 'hello\r'], ['1.1.1'], ['content-unexpected']],
    ['nothing', [], [], []],
  ])('%s', (_name, texts, expected, issues) => {
    const text = texts.join('');
    expect(places(text)).toEqual(expected);
    expect(codes(text)).toEqual(issues);
    expect(joinBatch(splitBatch(text))).toBe(text);
    expect(Buffer.from(joinBatchBytes(splitBatch(Buffer.from(text)))).toString()).toBe(text);
  });

  it('with its headers and trailers, read by their own delimiters', () => {
    const text = `FHS*!@$%*LAB!1\rBHS#:@$%#LAB\r${one}BTS#1#a:b\rFTS*1*end\r`;
    const { messages } = splitBatch(text);
    const { batch } = messages[0]!;
    const { file } = batch;
    expect(file.header?.fields).toEqual(['*', '!@$%', 'LAB!1']);
    expect(file.header?.delimiters?.component).toBe('!');
    expect(batch.header?.delimiters?.component).toBe(':');
    expect(batch.trailer?.fields).toEqual(['1', 'a:b']);
    expect(batch.trailer?.delimiters?.component).toBe(':');
    expect(file.trailer?.fields).toEqual(['1', 'end']);
    expect(file.trailer?.delimiters?.component).toBe('!');
    expect([file.header?.line, batch.header?.line, batch.trailer?.line]).toEqual([1, 2, 5]);
    expect(file.batches[0]?.messages[0]).toBe(messages[0]);
  });

  it('into messages with their place in the whole', () => {
    const { messages } = splitBatch(`${bhs}\r\n${one}BTS|1\r${bhs}${two}BTS|1\r`);
    expect(messages.map(({ text, line, number }) => [text, line, number])).toEqual([
      [one, 3, 1],
      [two, 7, 2],
    ]);
  });

  it('and says on which line something is wrong', () => {
    const [missing, count] = splitBatch(`${bhs}${one}${bhs}${two}BTS|7\r`).issues;
    expect(missing).toMatchObject({ severity: 'warning', location: 'BHS' });
    expect(missing?.message).toContain('line 1,');
    expect(count).toMatchObject({ severity: 'error', location: 'BTS-1' });
    expect(count?.message).toMatch(/7 messages .* line 7 .* found 1;/);
  });

  it('of bytes into messages that are each read in their own set', () => {
    const latin = Buffer.from(
      'MSH|^~\\&|A|||||||||P|2.5||||||8859/1\rPID|||||M\u00fcller\r',
      'latin1',
    );
    const utf8 = Buffer.from('MSH|^~\\&|A|||||||||P|2.5||||||UNICODE UTF-8\rPID|||||\u5f35\r');
    const bytes = Buffer.concat([Buffer.from(bhs), latin, utf8, Buffer.from('BTS|2\r')]);
    const split = splitBatch(bytes);
    expect(split.messages.map(({ text }) => /PID\|{5}(.*)/.exec(text)?.[1])).toEqual([
      'M\u00fcller',
      '\u5f35',
    ]);
    expect(split.messages.map((message) => message.bytes)).toEqual([latin, utf8]);
    expect(Buffer.from(joinBatchBytes(split)).equals(bytes)).toBe(true);
  });

  it('of text not into bytes', () => {
    expect(() => joinBatchBytes(splitBatch(one))).toThrow(RangeError);
  });
});

describe('a batch is built', () => {
  it.each([
    ['of messages', [one, two], {}, `BHS|^~\\&\r${one}${two}BTS|2\r`],
    ['of none', [], {}, 'BHS|^~\\&\rBTS|0\r'],
    [
      'with a header and a trailer',
      [one],
      { header: { 3: 'LAB', 5: 'EHR^1' }, comment: 'a|b', totals: ['10', '2.5'] },
      `BHS|^~\\&|LAB||EHR^1\r${one}BTS|1|a\\F\\b|10~2.5\r`,
    ],
    [
      'with the delimiters of its first message',
      ['MSH*!@$%*A\r', two],
      {},
      `BHS*!@$%\rMSH*!@$%*A\r${two}BTS*2\r`,
    ],
    [
      'of messages without their last segment end',
      [one.slice(0, -1), two.slice(0, -1)],
      {},
      `BHS|^~\\&\r${one}${two}BTS|2\r`,
    ],
    [
      'of framed messages',
      [`\u000b${one}\u001c\r`, `\ufeff${two}`],
      {},
      `BHS|^~\\&\r${one}${two}BTS|2\r`,
    ],
    [
      'of messages with other line ends',
      [one.replaceAll('\r', '\r\n')],
      {},
      `BHS|^~\\&\r${one.replaceAll('\r', '\r\n')}BTS|1\r`,
    ],
  ])('%s', (_name, messages, options, expected) => {
    expect(buildBatch(messages, options)).toBe(expected);
    const bytes = messages.map((message) => Buffer.from(message));
    expect(Buffer.from(buildBatchBytes(bytes, options)).toString()).toBe(expected);
  });

  it('of bytes in any set, none of them changed', () => {
    const latin = Buffer.from('MSH|^~\\&|M\u00fcller\r', 'latin1');
    const built = buildBatchBytes([latin], { header: { 3: 'M\u00fcller' }, charset: '8859/1' });
    expect(Buffer.from(built).toString('latin1')).toBe(
      'BHS|^~\\&|M\u00fcller\rMSH|^~\\&|M\u00fcller\rBTS|1\r',
    );
  });

  it('into a file of batches', () => {
    const batches = [buildBatch([one, two]), buildBatch([one])];
    const file = buildBatchFile(batches, { header: { 9: 'F1' }, comment: 'end' });
    expect(file).toBe(`FHS|^~\\&|||||||F1\r${batches.join('')}FTS|2|end\r`);
    expect(codes(file)).toEqual([]);
    expect(places(file)).toEqual(['1.1.1', '1.1.2', '1.2.1']);
  });

  it.each([
    ['no message', ['PID|1\r'], {}, 'batch-message-invalid'],
    ['two messages in one', [`${one}${two}`], {}, 'batch-message-invalid'],
    ['a batch', [`${bhs}${one}BTS|1\r`], {}, 'batch-message-invalid'],
    ['nothing', [''], {}, 'batch-message-invalid'],
    ['a separator in a field', [one], { header: { 3: 'a|b' } }, 'batch-field-invalid'],
    ['a line end in a total', [one], { totals: ['1\r'] }, 'batch-field-invalid'],
  ])('but not of %s', (_name, messages, options, code) => {
    expect(() => buildBatch(messages, options)).toThrow(code);
  });

  it('and divided again into the same messages, with counts that are right', () => {
    const messages = fc.array(fc.constantFrom(one, two, 'MSH*!@$%*A\nZZZ*1\n', 'MSH|^~\\&#|\r\n'));
    fc.assert(
      fc.property(messages, (texts) => {
        const split = splitBatch(buildBatchFile([buildBatch(texts), buildBatch([])]));
        expect(split.messages.map(({ text }) => text)).toEqual(texts);
        expect(split.issues).toEqual([]);
      }),
      { seed: 2 },
    );
  });
});

describe('any text', () => {
  const lines = fc.constantFrom(
    ...[
      fhs,
      bhs,
      one,
      two,
      'BTS|1\r',
      'FTS|1\r',
      'BTS\n',
      'FTS',
      'hello\r\n',
      '\r\n',
      'MSH\r',
      'BHS\r',
    ],
  );
  it('is divided and joined to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const split = splitBatch(text);
        if (split.pieces.length > 0) expect(joinBatch(split)).toBe(text);
        const inBatches = split.files.flatMap(({ batches }) =>
          batches.flatMap(({ messages }) => messages),
        );
        expect(inBatches).toEqual(split.messages);
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  it('costs time by its size alone', () => {
    const message = `MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5\r${'OBX|1|NM|GLU||95|mg/dL\r'.repeat(6)}`;
    const cpu = (count: number): number => {
      const text = `${bhs}${message.repeat(count)}BTS|${count}\r`;
      const started = process.cpuUsage();
      expect(splitBatch(text).messages).toHaveLength(count);
      return process.cpuUsage(started).user / 1e6;
    };
    cpu(1_000);
    expect(cpu(40_000)).toBeLessThan(5);
  });
});
