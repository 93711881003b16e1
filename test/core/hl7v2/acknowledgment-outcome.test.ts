import { readAcknowledgment } from '../../../core/hl7v2/acknowledgment.ts';
import {
  decideAnswer,
  defaultAnswerPolicy,
  isAnswerTo,
} from '../../../core/hl7v2/acknowledgment-outcome.ts';
import type { AnswerPolicy } from '../../../core/hl7v2/acknowledgment-settings.ts';
import { readHeader } from '../../../core/hl7v2/header.ts';

function sent(controlId: string, marks = '|^~\\&') {
  const [field = '|', component = '^'] = marks;
  const read = readHeader(
    [
      'MSH',
      marks.slice(1),
      'A',
      'B',
      'C',
      'D',
      '2026',
      '',
      `ORU${component}R01`,
      controlId,
      'P',
      '2.5.1',
    ].join(field),
  );
  if (!read.ok) throw new Error('no header');
  return read.header;
}

function decide(msa: string, policy: Partial<AnswerPolicy> = {}, ...more: readonly string[]) {
  const text = [`MSH|^~\\&|C|D|A|B|2026||ACK|1|P|2.5.1`, msa, ...more].join('\r');
  const step = decideAnswer(readAcknowledgment(text), {
    header: sent('M1'),
    answer: { contentType: 'application/hl7-v2', body: Buffer.from(text) },
    policy: { ...defaultAnswerPolicy, ...policy },
    where: 'lab:2575',
  });
  return step.kind === 'done' ? step.outcome.kind : step.kind;
}

describe('a partner’s acknowledgment', () => {
  it.each<[string, Partial<AnswerPolicy>, string]>([
    ['AA', {}, 'delivered'],
    ['CA', {}, 'delivered'],
    ['AE', {}, 'permanent'],
    ['CE', {}, 'permanent'],
    ['AR', {}, 'transient'],
    ['CR', {}, 'transient'],
    ['AE', { onError: 'retry' }, 'transient'],
    ['CE', { onError: 'retry' }, 'transient'],
    ['AR', { onReject: 'dead-letter' }, 'permanent'],
    ['CR', { onReject: 'dead-letter' }, 'permanent'],
    ['CA', { awaits: 'application' }, 'accepted'],
    ['AA', { awaits: 'application' }, 'delivered'],
    ['AE', { awaits: 'application' }, 'permanent'],
    ['CE', { awaits: 'application' }, 'permanent'],
    ['XX', {}, 'ambiguous'],
    ['', {}, 'ambiguous'],
  ])('%s with %j is %s', (code, policy, expected) => {
    expect(decide(`MSA|${code}|M1`, policy)).toBe(expected);
  });

  it.each(['W', 'I', 'E'])(
    'that is positive delivers, whatever its ERR of severity %s says',
    (severity) => {
      expect(decide('MSA|AA|M1', {}, `ERR||PID^1^3|103|${severity}`)).toBe('delivered');
    },
  );

  it.each(['AA', 'AE', 'CR'])('%s for another message is not credited to this one', (code) => {
    expect(decide(`MSA|${code}|M2`)).toBe('other');
    expect(decide(`MSA|${code}|`)).toBe('other');
  });

  it('names the code and the place of a refusal, and no text of the partner', () => {
    const text =
      'MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AE|M1|Testperson\rERR||PID^1^5|101|E||||Testperson';
    const step = decideAnswer(readAcknowledgment(text), {
      header: sent('M1'),
      answer: { contentType: 'application/hl7-v2', body: Buffer.from(text) },
      policy: defaultAnswerPolicy,
      where: 'lab:2575',
    });
    expect(step).toMatchObject({
      kind: 'done',
      outcome: {
        kind: 'permanent',
        issues: [
          { code: 'refused-by-partner', location: 'MSA-1' },
          { code: 'partner-error', location: 'PID-5' },
        ],
      },
    });
    expect(
      JSON.stringify(step.kind === 'done' && 'issues' in step.outcome && step.outcome.issues),
    ).not.toContain('Testperson');
  });
});

describe('MSA-2', () => {
  it.each([
    ['as it was sent', 'id\\T\\1', 'id\\T\\1'],
    ['with spaces around it', 'M1', ' M1 '],
    ['without the spaces that were sent', 'M1 ', 'M1'],
    ['with its escapes decoded', 'id\\T\\1', 'id&1'],
    ['with other escapes for the same', 'id\\T\\1', 'id\\X26\\1'],
    ['empty, where none was sent', '', ''],
  ])('is ours %s', (_name, controlId, answered) => {
    const acknowledgment = readAcknowledgment(
      `MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|${answered}\r`,
    );
    expect(isAnswerTo(acknowledgment, sent(controlId))).toBe(true);
  });

  it('is ours in delimiters of the partner’s own', () => {
    const acknowledgment = readAcknowledgment('MSH*!@$%*******ACK*1*P*2.5.1\rMSA*AA*a^b$F$1\r');
    expect(isAnswerTo(acknowledgment, sent('a\\S\\b*1'))).toBe(true);
  });

  it.each([
    ['another', 'M1', 'M2'],
    ['none', 'M1', ''],
    ['one where none was sent', '', 'X'],
    ['one that was cut short', '12345678901234567890123', '12345678901234567890'],
    ['one in other letters', 'm1', 'M1'],
  ])('is not ours when it is %s', (_name, controlId, answered) => {
    const acknowledgment = readAcknowledgment(
      `MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|${answered}\r`,
    );
    expect(isAnswerTo(acknowledgment, sent(controlId))).toBe(false);
  });
});
