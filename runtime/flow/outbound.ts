import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { deriveId } from '../derived-id.ts';
import { newId, toInstant } from '../ids.ts';
import { contentTypeOf, toBody, type Payload } from '../payload.ts';

/** A message in a flow: what came in, to hand its very bytes on where nobody edited them. */
export interface InFlow {
  readonly envelope: Envelope;
  readonly payload: Payload;
}

/**
 * The outbound message that a flow's message becomes. `ordinal` is which of the messages from that node
 * it is (undefined outside of any followed flow): the same flow run again gives the same ids.
 */
export function buildOutbound(
  message: FlowMessage,
  options: {
    readonly nodeId: string;
    readonly inFlow: InFlow | undefined;
    readonly ordinal: number;
    readonly nowMs: number;
  },
): Envelope {
  const { nodeId, inFlow, ordinal, nowMs } = options;
  const parent: EnvelopeHeader | undefined = inFlow?.envelope ?? message.envelope;
  const id =
    inFlow === undefined ? newId(nowMs) : deriveId(inFlow.envelope.id, nodeId, String(ordinal));
  const contentType = contentTypeOf(message);
  const sameType = contentType === parent?.contentType;
  const unedited = sameType && message.payload === inFlow?.payload.value;
  return {
    ...inherited(parent),
    ...(sameType ? {} : { messageType: messageTypeOf(message, contentType) }),
    id,
    interface: parent?.interface ?? '',
    contentType,
    correlationId: parent?.correlationId ?? id,
    ...(parent === undefined ? {} : { causationId: parent.id }),
    receivedAt: toInstant(nowMs),
    attempt: 1,
    body:
      unedited && inFlow !== undefined
        ? inFlow.envelope.body
        : toBody(message.payload, contentType, inFlow?.payload.charset),
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

/** A FHIR resource is called by its type, anything else by its media type. */
function messageTypeOf({ payload }: FlowMessage, contentType: string): string {
  if (typeof payload === 'string') {
    return /"resourceType"\s*:\s*"(\w+)"/.exec(payload.slice(0, 200))?.[1] ?? contentType;
  }
  const type = (payload as { resourceType?: unknown } | undefined)?.resourceType;
  return typeof type === 'string' ? type : contentType;
}
