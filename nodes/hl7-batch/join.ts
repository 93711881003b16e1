import { contentTypes } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import { buildBatch, buildBatchBytes, buildBatchFile } from '../../core/hl7v2/build-batch.ts';
import { readHeader } from '../../core/hl7v2/header.ts';
import { toHl7Timestamp } from '../../core/hl7v2/timestamp.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';

/** Milliseconds since 1970. */
export type Clock = () => number;

/**
 * One message that holds a batch of these, in their order: BHS says who sends to whom as the first of them
 * does, and the time. Text gives text; bytes among them give bytes. Throws a permanent HilumError where one
 * of them is no message.
 */
export function joinMessages(
  messages: readonly FlowMessage[],
  { envelope, clock }: { readonly envelope: 'batch' | 'file'; readonly clock: Clock },
): FlowMessage {
  const payloads = messages.map(({ payload }) => requirePayload(payload));
  const { parts: _parts, batch: _batch, ...kept } = messages.at(-1) ?? {};
  const header = buildHeader(payloads[0] ?? '', clock());
  const texts = payloads.filter((payload) => typeof payload === 'string');
  let payload: string | Buffer;
  if (texts.length === payloads.length) {
    const batch = buildBatch(texts, header);
    payload = envelope === 'file' ? buildBatchFile([batch], header) : batch;
  } else {
    const batch = Buffer.from(buildBatchBytes(payloads.map(toBytes), header));
    // One character a byte: whatever set a message is in, it stays as it is.
    const file = () => buildBatchFile([batch.toString('latin1')], header);
    payload = envelope === 'file' ? Buffer.from(file(), 'latin1') : batch;
  }
  const issues = messages.flatMap((message) => message.issues ?? []);
  return { ...kept, payload, contentType: contentTypes.hl7v2, issues };
}

function requirePayload(payload: unknown): string | Uint8Array {
  if (typeof payload === 'string' || payload instanceof Uint8Array) return payload;
  const message = 'Expected an HL7 v2 message as text or bytes in msg.payload, found neither.';
  throw new HilumError('permanent', [{ code: 'payload-not-hl7', severity: 'fatal', message }]);
}

function toBytes(payload: string | Uint8Array): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
}

/** BHS-3 to BHS-6 as MSH-3 to MSH-6 of the first message, and BHS-7. */
function buildHeader(first: string | Uint8Array, now: number) {
  const read = readHeader(first);
  if (!read.ok) throw new HilumError('permanent', read.issues);
  const { header } = read;
  return {
    delimiters: header.delimiters,
    header: {
      3: header.sendingApplication,
      4: header.sendingFacility,
      5: header.receivingApplication,
      6: header.receivingFacility,
      7: toHl7Timestamp(now),
    },
  };
}
