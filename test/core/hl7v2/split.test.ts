import { splitMessages } from '../../../core/hl7v2/split.ts';

const one = 'MSH|^~\\&|A\rPID|1\r';
const two = 'MSH|^~\\&|B\rPID|2\r';

describe('a text is divided', () => {
  it.each([
    ['one message', [one], ['message']],
    ['several messages', [one, two], ['message', 'message']],
    [
      'a batch',
      ['FHS|^~\\&\rBHS|^~\\&\r', one, two, 'BTS|2\rFTS|1\r'],
      ['batch', 'message', 'message', 'batch'],
    ],
    [
      'several batches',
      ['BHS|^~\\&\r', one, 'BTS|1\rBHS|^~\\&\r', two, 'BTS|1\r'],
      ['batch', 'message', 'batch', 'message', 'batch'],
    ],
    [
      'a byte order mark and empty lines in front',
      [`\ufeff\r\n${one}`, two],
      ['message', 'message'],
    ],
    ['empty lines between', [`${one}\r\n\r\n`, two], ['message', 'message']],
    [
      'line feeds',
      [one.replaceAll('\r', '\n'), two.replaceAll('\r', '\n')],
      ['message', 'message'],
    ],
    [
      'the framing of MLLP',
      [`\u000b${one}\u001c\r`, `\u000b${two}\u001c\r`],
      ['message', 'message'],
    ],
    ['delimiters of each message’s own', [one, two.replaceAll('|', '*')], ['message', 'message']],
    ['a wrapped line', [`${one}and more\r`, two], ['message', 'message']],
    ['a header that is only its name', ['MSH\r', one], ['message', 'message']],
    ['a segment that only starts alike', [`${one}MSHX|1\r`, two], ['message', 'message']],
  ])('%s', (_name, texts, kinds) => {
    const { pieces, issues } = splitMessages(texts.join(''));
    expect(pieces.map((piece) => piece.text)).toEqual(texts);
    expect(pieces.map((piece) => piece.kind)).toEqual(kinds);
    expect(issues).toEqual([]);
  });

  it('with the line that each piece starts on', () => {
    const { pieces } = splitMessages(`BHS|^~\\&\r\n\r\n${one}${two}`);
    expect(pieces.map((piece) => piece.line)).toEqual([1, 3, 5]);
  });

  it.each([
    ['in front', ['hello\r', one], ['other', 'message'], 1],
    ['between a batch’s lines', ['BHS|^~\\&\r', 'hello\r', one], ['batch', 'other', 'message'], 2],
    ['behind a batch', [one, 'BTS|1\r', 'hello'], ['message', 'batch', 'other'], 4],
  ])('and says what belongs to no message: %s', (_name, texts, kinds, line) => {
    const { pieces, issues } = splitMessages(texts.join(''));
    expect(pieces.map((piece) => piece.text)).toEqual(texts);
    expect(pieces.map((piece) => piece.kind)).toEqual(kinds);
    expect(issues.map(({ code, location }) => [code, location])).toEqual([
      ['content-unexpected', 'MSH'],
    ]);
    expect(issues[0]?.message).toContain(`line ${line},`);
  });

  it.each(['', '\r\n', ' '])('into nothing where there is nothing: %j', (text) => {
    expect(splitMessages(text)).toEqual({ pieces: [], issues: [] });
  });
});
