import { contentTypes } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import type { BatchMessage, BatchSegment } from '../../core/hl7v2/batch.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { splitBatch } from '../../core/hl7v2/split-batch.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import type { Hl7BatchConfig } from './definition.ts';

/** Where a message stood in its batch: `msg.batch`. Headers are as they stand, absent where there is none. */
interface BatchPlace {
  /** Which message of the whole, 1-based. */
  readonly number: number;
  /** Which message of its batch, 1-based. */
  readonly position: number;
  readonly batch: number;
  readonly file: number;
  readonly batchHeader?: string;
  readonly fileHeader?: string;
}

/**
 * The messages of a batch, each as a message of its own with `msg.batch` and Node-RED's `msg.parts`. Text
 * gives text and bytes give bytes. None for a batch without messages. Throws a permanent HilumError with the
 * reasons where something in it is no message, or where its counts are not right and `faults` says so.
 */
export function splitMessage(
  message: FlowMessage,
  { faults }: Pick<Hl7BatchConfig, 'faults'>,
): readonly FlowMessage[] {
  const { payload } = message;
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) throw refusePayload();
  const { messages, pieces, issues } = splitBatch(payload);
  if (pieces.length === 0) throw refuseOther(payload);
  const lost = issues.filter(({ code }) => code === 'content-unexpected');
  if (lost.length > 0) throw new HilumError('permanent', lost);
  // A missing header is only a header less; behind a missing trailer messages may have been cut off.
  const faulty = issues.filter(({ code }) => !code.endsWith('header-missing'));
  if (faults !== 'pass' && faulty.length > 0) throw new HilumError('permanent', faulty);
  const id = message._msgid ?? '';
  return messages.map((each, index) => ({
    ...message,
    payload: typeof payload === 'string' ? each.text : Buffer.from(each.bytes ?? []),
    contentType: contentTypes.hl7v2,
    batch: toPlace(each),
    parts: { id, index, count: messages.length, type: 'array', len: 1 },
    issues: [...(message.issues ?? []), ...issues],
  }));
}

function toPlace({ number, position, batch }: BatchMessage): BatchPlace {
  const { file } = batch;
  return {
    number,
    position,
    batch: batch.number,
    file: file.number,
    ...toText('batchHeader', batch.header),
    ...toText('fileHeader', file.header),
  };
}

function toText(name: 'batchHeader' | 'fileHeader', header: BatchSegment | undefined): object {
  return header === undefined ? {} : { [name]: header.text };
}

function refusePayload(): HilumError {
  const message =
    'Expected a batch of HL7 v2 messages as text or bytes in msg.payload, found neither.';
  return new HilumError('permanent', [{ code: 'payload-not-hl7', severity: 'fatal', message }]);
}

/** Nothing in it is HL7: the parser knows what to say. */
function refuseOther(payload: string | Uint8Array): HilumError {
  return new HilumError('permanent', parseMessage(payload).issues);
}
