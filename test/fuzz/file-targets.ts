import { buildBatchBytes } from '../../core/hl7v2/build-batch.ts';
import { findContinuation, joinAddenda, joinContinuation } from '../../core/hl7v2/continuation.ts';
import { joinBatchBytes, splitBatch } from '../../core/hl7v2/split-batch.ts';
import { expectSame, expectThat, tryTo, type Target } from './expect.ts';

/** Laws of files: batches and messages in parts. */
export const fileTargets: Readonly<Record<string, Target>> = {
  'a batch is split and joined, and one that is built is whole'(bytes) {
    const split = splitBatch(bytes);
    if (split.pieces.length > 0) expectSame(joinBatchBytes(split), bytes);
    const messages = split.messages.map((message) => message.bytes ?? Buffer.alloc(0));
    const built = tryTo(() => buildBatchBytes(messages));
    if (built === undefined) return;
    const again = splitBatch(built);
    expectThat(again.messages.length === messages.length, 'as many messages');
    expectThat(again.issues.length === 0, 'a batch without faults');
  },

  'addenda are joined once, and nothing is made up'(bytes) {
    const text = bytes.toString('latin1');
    const { text: joined } = joinAddenda(text);
    // A segment end may be added to a last line that is no longer the last.
    expectThat(joined.length <= text.length + 2, 'no more text');
    expectThat(joinAddenda(joined).text === joined, 'nothing left to join');
  },

  'a message cut in two is joined again'(bytes, random) {
    const text = bytes.toString('latin1');
    joinContinuation([text, text]);
    const whole = 'MSH|^~\\&|A||||||ORU^R01|1|P|2.5';
    const segments = text.split(/[\r\n]+/).filter((line) => /^[A-Z]\w\w\|.*[!-~]$/.test(line));
    const own = segments.filter((line) => !/^(?:MSH|ADD|DSC|FHS|BHS|BTS|FTS|SFT|UAC)/.test(line));
    const at = random.whole(own.length + 1);
    const [before, after] = [own.slice(0, at), own.slice(at)];
    const parts = [
      [whole, ...before, 'DSC|7|F', ''].join('\r'),
      [`${whole}||7`, ...after, ''].join('\r'),
    ];
    expectThat(findContinuation(parts[0] ?? '')?.pointer === '7', 'a pointer');
    const joined = joinContinuation(random.once(2) ? parts : parts.toReversed());
    if (after.some((line) => /^(?:MSA|QAK|QRD|QRF|QPD|RCP|URD|URS)/.test(line))) return;
    expectThat(joined.ok && joined.text === [whole, ...own, ''].join('\r'), 'the whole message');
  },
};
