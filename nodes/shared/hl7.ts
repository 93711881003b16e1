import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { HilumError } from '../../core/errors.ts';
import type { Hl7Message, ParseResult } from '../../core/hl7v2/message.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { rewriteMessage } from '../../core/hl7v2/rewrite.ts';

/**
 * The HL7 v2 message in a payload: text, or bytes, which are read by their character set. Anything else is
 * no message, with a finding that says what was found.
 */
export function parsePayload(payload: unknown): ParseResult {
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    return parseMessage(payload, { definitions: openDefinitions() });
  }
  const found = payload === null ? 'null' : typeof payload;
  return {
    ok: false,
    issues: [
      {
        code: 'payload-not-hl7',
        severity: 'fatal',
        message: `Expected an HL7 v2 message as text or bytes in msg.payload, found ${found}.`,
      },
    ],
  };
}

/** The message, or a permanent HilumError with the reasons why there is none. */
export function requireMessage(payload: unknown): Hl7Message {
  const result = parsePayload(payload);
  if (!result.ok) throw new HilumError('permanent', result.issues);
  return result.message;
}

/** `ORU^R01`, for statuses and labels; `?` where the message does not say. */
export function messageTypeOf(message: Hl7Message): string {
  const parts = [message.get('MSH-9.1'), message.get('MSH-9.2')];
  return parts.filter((part) => part !== undefined && part !== '').join('^') || '?';
}

/** The message as one of another type (`ORU^R01`), which decides about its map; as it is where none is given. */
export function withType(message: Hl7Message, messageType: string | undefined): Hl7Message {
  if (messageType === undefined) return message;
  const [code = '', trigger] = messageType.split('^');
  const named = message.set('MSH-9.1', code);
  return trigger === undefined ? named : named.set('MSH-9.2', trigger);
}

/**
 * The payload with its HL7 v2 message edited: text stays text, bytes stay bytes in the message's own character set. Throws
 * a permanent HilumError where it is no message.
 */
export function rewritePayload(
  payload: unknown,
  edit: (message: Hl7Message) => Hl7Message,
): string | Buffer {
  if (!(payload instanceof Uint8Array)) return edit(requireMessage(payload)).text;
  const result = rewriteMessage(payload, edit, { definitions: openDefinitions() });
  if (!result.ok) throw new HilumError('permanent', result.issues);
  return Buffer.from(result.bytes);
}
