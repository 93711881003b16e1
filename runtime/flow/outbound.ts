import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import { readHeader } from '../../core/hl7v2/header.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { deriveId } from '../derived-id.ts';
import { newId, toInstant } from '../ids.ts';
import { findResourceType, guessContentType, toBody, type Payload } from '../payload.ts';

/** A message in a flow: what came in, to hand its very bytes on where nobody edited them. */
export interface InFlow {
  readonly envelope: Envelope;
  readonly payload: Payload;
  /** It may have been in the flow before. */
  readonly redelivered: boolean;
}

/**
 * The outbound message that a flow's message becomes. `ordinal` is which of the messages that the node made
 * of one message it is: the same flow run again gives the same ids, and so does a node that sends after its
 * flow had timed out.
 */
export function buildOutbound(
  message: FlowMessage,
  options: {
    readonly nodeId: string;
    readonly inFlow: InFlow | undefined;
    readonly ordinal: number;
    readonly nowMs: number;
    /** The revision that runs here, where there are revisions. */
    readonly revision?: number | undefined;
  },
): Envelope {
  const { nodeId, inFlow, ordinal, nowMs, revision } = options;
  const parent: EnvelopeHeader | undefined = inFlow?.envelope ?? message.envelope;
  const id = parent === undefined ? newId(nowMs) : deriveId(parent.id, nodeId, String(ordinal));
  const { payload } = message;
  const isSame = payload === inFlow?.payload.value;
  const contentType =
    message.contentType ??
    (isSame ? inFlow?.envelope.contentType : undefined) ??
    guessContentType(payload);
  const sameType = contentType === parent?.contentType;
  return {
    ...inherited(parent),
    ...(sameType ? {} : { messageType: findResourceType(payload) ?? contentType }),
    id,
    interface: parent?.interface ?? '',
    contentType,
    correlationId: parent?.correlationId ?? id,
    ...(parent === undefined ? {} : { causationId: parent.id }),
    receivedAt: toInstant(nowMs),
    attempt: 1,
    ...(revision === undefined ? {} : { revision }),
    body:
      inFlow !== undefined && isSame && sameType
        ? inFlow.envelope.body
        : toBody(payload, contentType, findCharset(payload, inFlow)),
  };
}

function inherited(parent: EnvelopeHeader | undefined) {
  if (parent === undefined) return {};
  const { messageType, controlId, key, charset } = parent;
  return {
    ...(messageType === undefined ? {} : { messageType }),
    ...(controlId === undefined ? {} : { controlId }),
    ...(key === undefined ? {} : { key }),
    ...(charset === undefined ? {} : { charset }),
  };
}

/**
 * What edited HL7 text is to be written in: as it came in, whatever its MSH-18 said then; where the flow
 * changed MSH-18, as that says now.
 */
function findCharset(payload: unknown, inFlow: InFlow | undefined): string | undefined {
  if (typeof payload !== 'string') return undefined;
  const read = readHeader(payload);
  const declared = read.ok ? read.header.charset : '';
  if (inFlow !== undefined && declared === readDeclared(inFlow.payload.value)) {
    return inFlow.payload.charset;
  }
  return declared === '' ? undefined : declared;
}

/** MSH-18 as the message had it when it came in. */
function readDeclared(payload: string | Buffer): string {
  const read = readHeader(payload);
  return read.ok ? read.header.charset : '';
}
