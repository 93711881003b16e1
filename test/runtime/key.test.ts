import { parseMessage } from '../../core/hl7v2/parse.ts';
import { findKey } from '../../runtime/edge/key.ts';

function parse(segments: string) {
  const parsed = parseMessage(`MSH|^~\\&|LAB|NORTH|||20260312||ORU^R01|1|P|2.5.1\r${segments}`);
  if (!parsed.ok) throw new Error('Not a message.');
  return parsed.message;
}

describe("an envelope's key", () => {
  it("is the patient, or what the listener's paths lead to", () => {
    const message = parse('PID|1||4711\rPV1|1');
    expect(findKey(message, {})).toBe('4711');
    expect(findKey(message, { keyPaths: ['PV1-19.1', 'MSH-4'] })).toBe('NORTH');
    expect(findKey(message, { keyPaths: ['PV1-19.1'] })).toBeUndefined();
  });

  it('has a bounded length, and tells long ones apart', () => {
    const keyOf = (value: string) =>
      findKey(parse(`OBX|1|ED|||${value}`), { keyPaths: ['OBX-5'] }) ?? '';
    const [first, second] = [keyOf('A'.repeat(100_000)), keyOf('A'.repeat(100_001))];
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(second).toMatch(/^sha256:/);
    expect(first).not.toBe(second);
    expect(keyOf('A'.repeat(200))).toBe('A'.repeat(200));
  });
});
