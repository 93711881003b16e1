import { parseMessage } from '../../../core/hl7v2/parse.ts';
import {
  decideSequence,
  findLinkContent,
  type SequenceState,
} from '../../../core/hl7v2/sequence-number.ts';

/** What happens to these messages one after the other: MSH-13 and MSH-10 to what is decided and MSA-4. */
function run(messages: readonly (readonly [string, string?])[], from: SequenceState = {}) {
  let state = from;
  return messages.map(([sequenceNumber, controlId = `M${sequenceNumber}`]) => {
    const decision = decideSequence(state, { sequenceNumber, controlId });
    if ('next' in decision) state = decision.next;
    return 'expected' in decision ? `${decision.kind} ${decision.expected}` : decision.kind;
  });
}

const at5: SequenceState = { lastNumber: 5, lastControlId: 'M5' };

describe('sequence numbers', () => {
  it('are not used where MSH-13 is empty or null', () => {
    expect(run([[''], ['""'], [' ']], at5)).toEqual(['unnumbered', 'unnumbered', 'unnumbered']);
  });

  it('start with whatever comes first, and are echoed as they go up', () => {
    expect(run([['0'], ['17'], ['18'], ['19']])).toEqual([
      'link -1',
      'next 17',
      'next 18',
      'next 19',
    ]);
  });

  it('go on with the next one after the sender has started the link again', () => {
    expect(run([['0'], ['6']], at5)).toEqual(['link 6', 'next 6']);
  });

  it('start anew after the sender has forced it', () => {
    expect(run([['-1'], ['3'], ['4']], at5)).toEqual(['link -1', 'next 3', 'next 4']);
  });

  it('of the last message once more say that its acknowledgment was lost', () => {
    expect(run([['5', 'M5'], ['6']], at5)).toEqual(['repeated 6', 'next 6']);
  });

  it.each([
    ['the last number for another message', '5', 'OTHER', 'sequence-number-unexpected'],
    ['an old one', '3', 'M3', 'sequence-number-unexpected'],
    ['one after a gap', '8', 'M8', 'sequence-number-unexpected'],
    ['a negative one', '-2', 'M', 'sequence-number-invalid'],
    ['no number', 'six', 'M', 'sequence-number-invalid'],
    ['a fraction', '6.5', 'M', 'sequence-number-invalid'],
  ])('that are not expected are refused and change nothing: %s', (_name, number, id, code) => {
    const decision = decideSequence(at5, { sequenceNumber: number, controlId: id });
    expect(decision).toMatchObject({
      kind: 'unexpected',
      expected: 6,
      issue: { code, severity: 'error', location: 'MSH-13' },
    });
    expect(decision).not.toHaveProperty('next');
    expect(run([[number, id], ['6']], at5)).toEqual(['unexpected 6', 'next 6']);
  });
});

describe('a message that starts the link', () => {
  const header = 'MSH|^~\\&|LIS|LAB|HILUM|EHR|2026||^|L0|P|2.5.1|0\r';

  it.each([
    ['a header alone', '', undefined],
    ['segments without values', 'EVN|||\rPID|""|\r', undefined],
    ['content', 'PID|1\r', 'sequence-link-with-content'],
    ['content further behind', 'EVN\rZZZ|||x\r', 'sequence-link-with-content'],
  ])('is %s: %j', (_name, rest, code) => {
    const parsed = parseMessage(`${header}${rest}`);
    expect(parsed.ok && findLinkContent(parsed.message)?.code).toBe(code);
  });
});
