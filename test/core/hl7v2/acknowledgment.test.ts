import {
  buildAcknowledgment,
  isAcknowledgment,
  readAcknowledgment,
} from '../../../core/hl7v2/acknowledgment.ts';
import { readHeader, readKey, type Header } from '../../../core/hl7v2/header.ts';
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import { validate } from '../../../core/hl7v2/validate.ts';
import type { Issue } from '../../../core/issue.ts';
import { build, parse } from './support.ts';

const options = { now: '20260312142600.000+0000', controlId: 'H1' };
const missing: Issue = {
  code: 'required-field-missing',
  severity: 'error',
  location: 'PID-3[1].4',
  message: 'Expected a & b',
};
const warning: Issue = { code: 'something', severity: 'warning', location: 'Bundle', message: 'x' };

function toHeader(source: string | Uint8Array): Header {
  const read = readHeader(source);
  if (!read.ok) throw new Error('no header');
  return read.header;
}

function lines(text: string): readonly string[] {
  expect(text.endsWith('\r')).toBe(true);
  return text.slice(0, -1).split('\r');
}

const source =
  'MSH|^~\\&|LAB^1.2^ISO|NORTH|EHR|CLINIC|20260312||ORU^R01^ORU_R01|id\\T\\1|T^A|2.5.1|||AL|NE||8859/1~UNICODE UTF-8\rPID|1\r';

describe('an acknowledgment', () => {
  it('mirrors what the sender said and swaps the two sides', () => {
    expect(lines(buildAcknowledgment(toHeader(source), 'AA', [], options))).toEqual([
      'MSH|^~\\&|EHR|CLINIC|LAB^1.2^ISO|NORTH|20260312142600.000+0000||ACK^R01^ACK|H1|T^A|2.5.1||||||8859/1~UNICODE UTF-8',
      'MSA|AA|id\\T\\1',
    ]);
  });

  it('is the same from a parsed message', () => {
    expect(buildAcknowledgment(parse(source), 'CA', [], options)).toBe(
      buildAcknowledgment(toHeader(source), 'CA', [], options),
    );
  });

  it('is written with the sender’s delimiters', () => {
    const own = 'MSH*!@$%#*A!1*B*C*D*2026**ADT!A08*X$T$1*P*2.7\r';
    expect(lines(buildAcknowledgment(toHeader(own), 'AE', [missing], options))).toEqual([
      'MSH*!@$%#*C*D*A!1*B*20260312142600.000+0000**ACK!A08!ACK*H1*P*2.7',
      'MSA*AE*X$T$1',
      'ERR**PID!1!3!1!4*101!Required field missing!HL70357*E*!required-field-missing!99HILUM**PID-3[1].4*Expected a & b',
    ]);
  });

  it.each([
    ['2.1', 'ACK'],
    ['2.2', 'ACK^R01'],
    ['2.3', 'ACK^R01'],
    ['2.3.1', 'ACK^R01^ACK'],
    ['2.8.2', 'ACK^R01^ACK'],
    ['', 'ACK^R01^ACK'],
  ])('has the type as version "%s" writes it', (version, type) => {
    const text = source.replace('|2.5.1|', `|${version}|`);
    expect(parse(buildAcknowledgment(toHeader(text), 'AA', [], options)).get('MSH-9')).toBe(type);
  });

  it('has findings as ERR segments of 2.5 and later, and the first that refuses in MSA-3', () => {
    expect(lines(buildAcknowledgment(toHeader(source), 'AE', [warning, missing], options))).toEqual(
      [
        expect.anything(),
        'MSA|AE|id\\T\\1|Expected a \\T\\ b',
        'ERR|||207^Application internal error^HL70357|W|something^^99HILUM||Bundle|x',
        'ERR||PID^1^3^1^4|101^Required field missing^HL70357|E|^required-field-missing^99HILUM||PID-3[1].4|Expected a \\T\\ b',
      ],
    );
  });

  it.each(['2.1', '2.3', '2.4'])('has them as one ERR-1 in %s, without warnings', (version) => {
    const text = source.replace('|2.5.1|', `|${version}|`);
    const second = { ...missing, code: 'segment-missing', location: 'OBX[2]' };
    const [, , ...errors] = lines(
      buildAcknowledgment(toHeader(text), 'AE', [missing, warning, second], options),
    );
    expect(errors).toEqual([
      'ERR|PID^1^3^101&Required field missing&HL70357~OBX^2^^100&Segment sequence error&HL70357',
    ]);
  });

  it('rejects what could not be read, in the usual form', () => {
    const issue: Issue = {
      code: 'header-missing',
      severity: 'fatal',
      location: 'MSH',
      message: 'Expected MSH',
    };
    expect(lines(buildAcknowledgment(undefined, 'AR', [issue], options))).toEqual([
      'MSH|^~\\&|||||20260312142600.000+0000||ACK|H1|P|2.5.1',
      'MSA|AR||Expected MSH',
      'ERR||MSH^1|100^Segment sequence error^HL70357|F|header-missing^^99HILUM||MSH|Expected MSH',
    ]);
  });

  it.each([
    ['', '100', 'MSH^1'],
    ['PID|1', '100', 'MSH^1'],
    ['BHS|^~\\&|', '100', 'MSH^1'],
    ['MSH|', '101', 'MSH^1^2^1'],
    ['MSHELLO', '102', 'MSH^1^1^1'],
    ['MSH|^~\\^|', '102', 'MSH^1^2^1'],
  ])('says that the sender is at fault: "%s"', (text, condition, location) => {
    const read = readHeader(text);
    const issues = read.ok ? [] : read.issues;
    const answer = parse(buildAcknowledgment(undefined, 'AR', issues, options));
    expect([answer.get('ERR-3.1'), answer.get('ERR-2')]).toEqual([condition, location]);
  });

  it('says that the fault is ours where it is', () => {
    const issue: Issue = { code: 'something-of-ours', severity: 'error', message: 'x' };
    const answer = parse(buildAcknowledgment(toHeader(source), 'AR', [issue], options));
    expect(answer.get('ERR-3.1')).toBe('207');
  });

  it('has an application error where the sender sent no version, type or id', () => {
    const text = buildAcknowledgment(toHeader('MSH|^~\\&|A'), 'AE', [], options);
    expect(lines(text)).toEqual([
      'MSH|^~\\&|||A||20260312142600.000+0000||ACK|H1|P|2.5.1',
      'MSA|AE|',
    ]);
  });

  it.each(['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.8'])(
    'is a valid message of %s',
    (version) => {
      const text = source.replace('|2.5.1|', `|${version}|`);
      const answer = buildAcknowledgment(toHeader(text), 'AE', [missing], options);
      expect(validate(parse(answer), openDefinitions())).toEqual([]);
    },
  );

  it.each(['AA', 'AE', 'AR', 'CA', 'CE', 'CR'] as const)('%s reads as what was built', (code) => {
    const answer = Buffer.from(buildAcknowledgment(toHeader(source), code, [missing], options));
    expect(readAcknowledgment(answer)).toEqual({
      code,
      controlId: 'id\\T\\1',
      controlIdText: 'id&1',
      expectedSequenceNumber: undefined,
      text: 'Expected a & b',
      issues: [
        {
          code: 'partner-error',
          severity: 'error',
          location: 'PID-3[1].4',
          message: 'The partner reports condition 101 of table 0357',
        },
      ],
    });
  });
});

describe('a partner’s answer', () => {
  it('is read in the form of 2.4 and before', () => {
    const answer = `MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.3\rMSA|AR|M1|no\rERR|PID^1^3^103&x&HL70357~OBX^2\r`;
    const { issues } = readAcknowledgment(answer);
    expect(issues.map(({ location, message }) => [location, message])).toEqual([
      ['PID-3', 'The partner reports condition 103 of table 0357'],
      ['OBX[2]', 'The partner reports condition unknown of table 0357'],
    ]);
  });

  it.each([
    ['nothing', ''],
    ['another format', 'HTTP/1.1 200 OK'],
    ['no MSA', build('PID|1')],
    ['an unknown code', build('MSA|XX|M1')],
    ['no code', build('MSA||M1')],
  ])('without a code is unreadable: %s', (_name, answer) => {
    const read = readAcknowledgment(answer);
    expect(read.code).toBeUndefined();
    expect(read.issues).toEqual([
      expect.objectContaining({ code: 'acknowledgment-unreadable', severity: 'error' }),
    ]);
  });

  it('tells nothing of what its texts say', () => {
    const answer = build(
      'MSA|AE|M1',
      'ERR||PID^1^5|101^patient Testperson^HL70357|E|||Testperson|Testperson',
    );
    expect(JSON.stringify(readAcknowledgment(answer).issues)).not.toContain('Testperson');
  });
});

describe('what is never acknowledged', () => {
  it.each([
    ['an ACK', 'MSH|^~\\&|||||||ACK^R01^ACK|1|P|2.5\rMSA|AA|1\r', true],
    ['a delayed acknowledgment', 'MSH|^~\\&|||||||MCF|1|P|2.3\r', true],
    ['a result', build('PID|1'), false],
  ])('%s', (_name, text, expected) => {
    expect(isAcknowledgment(parse(text))).toBe(expected);
    expect(isAcknowledgment(toHeader(text))).toBe(expected);
  });

  it('a response, known by its MSA', () => {
    expect(isAcknowledgment(parse('MSH|^~\\&|||||||RSP^K11|1|P|2.5\rMSA|AA|1\r'))).toBe(true);
  });
});

describe('a header', () => {
  it('is read from the first line of the bytes, whatever follows', () => {
    const bytes = Buffer.concat([Buffer.from(source), Buffer.from([0xff, 0xfe, 0, 1, 2])]);
    expect(readHeader(bytes)).toEqual({
      ok: true,
      header: {
        delimiters: {
          field: '|',
          component: '^',
          repetition: '~',
          escape: '\\',
          subcomponent: '&',
        },
        sendingApplication: 'LAB^1.2^ISO',
        sendingFacility: 'NORTH',
        receivingApplication: 'EHR',
        receivingFacility: 'CLINIC',
        timestamp: '20260312',
        messageType: 'ORU^R01^ORU_R01',
        controlId: 'id\\T\\1',
        processingId: 'T^A',
        version: '2.5.1',
        sequenceNumber: '',
        acceptAcknowledgment: 'AL',
        applicationAcknowledgment: 'NE',
        charset: '8859/1',
        charsets: '8859/1~UNICODE UTF-8',
        encoding: '8859/1',
      },
    });
  });

  it.each([
    ['line feeds', Buffer.from(source.replaceAll('\r', '\n'))],
    ['a byte order mark', Buffer.from(`\ufeff${source}`)],
    ['framing and empty lines', Buffer.from(`\r\n\u000b${source}`)],
    ['UTF-16', Buffer.from(`\ufeff${source}`, 'utf16le')],
    ['text', source],
  ])('is read behind or with %s', (_name, bytes) => {
    const { controlId, version, applicationAcknowledgment } = toHeader(bytes);
    expect([controlId, version, applicationAcknowledgment]).toEqual(['id\\T\\1', '2.5.1', 'NE']);
  });

  it('writes the message type with the usual separator', () => {
    expect(toHeader('MSH*!@$%*A*B*C*D*2026**ADT!A08*1').messageType).toBe('ADT^A08');
  });

  it.each([
    ['', 'message-empty'],
    ['PID|1', 'header-missing'],
    ['MSH|', 'header-too-short'],
  ])('says why there is none: "%s"', (text, code) => {
    expect(readHeader(Buffer.from(text))).toEqual({
      ok: false,
      issues: [expect.objectContaining({ code, severity: 'fatal' })],
    });
  });
});

describe('the key that keeps the order', () => {
  it.each([
    ['PID|1||4711^^^X~4712', '4711'],
    ['PID|1||a\\T\\b', 'a&b'],
    ['PID|1||""', undefined],
    ['PID|1||', undefined],
    ['PV1|1', undefined],
  ])('is the first patient identifier: %s', (segment, key) => {
    expect(readKey(parse(build(segment)))).toBe(key);
  });

  it.each([
    [['PID-18.1'], 'account'],
    [['OBX-18.1'], 'device'],
    [['MSH-3'], 'LAB'],
    [['PID-3[5=MR].1'], '4712'],
    [['PV1-19.1', 'PID-18.1', 'PID-3.1'], 'account'],
    [['PV1-19.1', 'OBX-3'], undefined],
  ])('is the first of the paths %j that has a value', (paths, key) => {
    const segments =
      'PID|1||4711^^^X^PI~4712^^^X^MR|||||||||||||||account\rPV1|1||||||||||||||||||""\rOBX|1|||||||||||||||||device^X';
    expect(readKey(parse(build(segments)), paths)).toBe(key);
  });
});
