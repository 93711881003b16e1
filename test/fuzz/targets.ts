import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { createFrameDecoder, type FrameEvent } from '../../connectors/mllp/frame.ts';
import { buildAcknowledgment, readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { decodeMessage, encodeMessage } from '../../core/hl7v2/charset.ts';
import { readHeader } from '../../core/hl7v2/header.ts';
import { parsePath, parsePathExpression } from '../../core/hl7v2/parse-path.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { rewriteMessage } from '../../core/hl7v2/rewrite.ts';
import { splitBytes } from '../../core/hl7v2/split.ts';
import { formatTree, toTree } from '../../core/hl7v2/tree.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import { expectSame, expectThat, tryTo, type Target } from './expect.ts';
import { fileTargets } from './file-targets.ts';
import { textTargets } from './text-targets.ts';

/** Every law, by what it says. */
export const targets: Readonly<Record<string, Target>> = {
  ...fileTargets,
  ...textTargets,

  'bytes decode and encode to the same bytes'(bytes) {
    const { text, charset } = decodeMessage(bytes);
    expectSame(encodeMessage(text, charset), bytes);
  },

  'what is parsed is what was there, and can be shown'(bytes) {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) {
      expectThat(parsed.issues.length > 0, 'a reason');
      return;
    }
    expectThat(parsed.message.text === decodeMessage(bytes).text, 'the same text');
    toTree(parsed.message);
    formatTree(parsed.message);
  },

  'every finding has a place'(bytes) {
    const parsed = parseMessage(bytes);
    const issues = parsed.ok
      ? [...parsed.issues, ...validate(parsed.message, openDefinitions())]
      : parsed.issues;
    for (const { location } of issues) {
      expectThat(location !== undefined && parsePath(location).ok, 'a location that is a path');
    }
  },

  'what can be answered is answered to its sender'(bytes) {
    const read = readHeader(bytes);
    readAcknowledgment(bytes);
    if (!read.ok) return;
    const options = { now: '20260101000000+0000', controlId: 'A1' };
    const answer = readAcknowledgment(buildAcknowledgment(read.header, 'AA', [], options));
    expectThat(answer.code === 'AA', 'a readable answer');
    expectThat(answer.controlId === read.header.controlId, 'the control id of the sender');
  },

  'an edit is read again, and the rest is as it was'(bytes, random) {
    const path = random.pick(paths);
    const value = random.pick(values);
    const parsed = parseMessage(bytes);
    if (!parsed.ok) return;
    const { message } = parsed;
    tryTo(() => {
      const edited = message.set(path, value);
      expectThat(edited.get(path) === value, 'the value that was set');
      expectThat(message.remove(path).text.length <= message.text.length, 'less text');
      message.append(path, value);
    });
    rewriteMessage(bytes, (each) => each.append(path, value));
    message.places(path);
  },

  'pieces joined are the whole'(bytes) {
    const { pieces } = splitBytes(bytes);
    if (pieces.length > 0) expectSame(Buffer.concat(pieces.map((piece) => piece.bytes)), bytes);
  },

  'frames do not depend on how they were cut'(bytes, random) {
    const whole = Buffer.concat([Buffer.from([0x0b]), bytes, Buffer.from([0x1c, 0x0d]), bytes]);
    const chunks: Buffer[] = [];
    for (let at = 0; at < whole.length;) {
      const size = 1 + random.whole(random.once(2) ? 4 : 700);
      chunks.push(whole.subarray(at, at + size));
      at += size;
    }
    const expected = describeEvents(decodeFrames([whole]));
    expectThat(describeEvents(decodeFrames(chunks)) === expected, 'the same frames');
  },

  'a path is read or refused'(bytes, random) {
    const start = random.whole(bytes.length + 1);
    const text = bytes.toString('latin1', start, start + 60);
    for (const path of [text, `PID-3[${text}`, `${text}.PID-3`]) {
      const parsed = parsePathExpression(path);
      expectThat(parsed.ok || parsed.issue.code === 'path-invalid', 'a path or a reason');
    }
  },
};

const paths = [
  'MSH-10',
  'PID-3[2].4.1',
  'PID-5.1',
  'PID-3[type=MR].1',
  'OBX[3]-5',
  'OBX[3.1=2345-7]-5[2].3',
  'ZZZ-1',
  'NTE-3',
  'PV1-44',
  'EVN-30.2.2',
];
const values = [
  '',
  'x',
  '""',
  'a|b^c~d\\e&f#',
  '\r\n\x0b\x1c',
  'M\u00fcller',
  '\ud83d\ude00',
  '\\X0D\\',
  ' ',
];

function decodeFrames(chunks: readonly Buffer[]): readonly FrameEvent[] {
  const decoder = createFrameDecoder({ maxFrameBytes: 65_536, maxGarbageBytes: 16_384 });
  const events: FrameEvent[] = [];
  for (const chunk of chunks) {
    decoder.write(chunk);
    for (let event = decoder.next(); event !== undefined; event = decoder.next())
      events.push(event);
  }
  const rest = decoder.end();
  return rest === undefined ? events : [...events, rest];
}

function describeEvents(events: readonly FrameEvent[]): string {
  return events
    .map((event) =>
      event.kind === 'message'
        ? Buffer.from(event.bytes).toString('latin1')
        : `${event.code} ${event.bytes}`,
    )
    .join('\x1e');
}
