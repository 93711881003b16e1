import type { FlowResponse } from '../../core/ports/flow-response.ts';
import { contributeFrom } from '../shared/contribution.ts';
import { choice, optional } from '../shared/fields.ts';

export const type = 'hl7 reply';

type Acknowledgment = Extract<FlowResponse, { kind: 'acknowledgment' }>;

/** Configuration as the editor stores it. */
export interface Hl7ReplyConfig {
  readonly name: string;
  /** The whole response in `msg.payload`, or an acknowledgment made for the message that came in. */
  readonly answer: FlowResponse['kind'];
  readonly code: Acknowledgment['code'];
  readonly text: string;
  /** MSH-9 of an acknowledgment. */
  readonly responseType: Acknowledgment['type'];
}

export const defaults: Hl7ReplyConfig = {
  name: '',
  answer: 'payload',
  code: 'AA',
  text: '',
  responseType: 'general',
};

export const fields = {
  answer: optional(choice('payload', 'acknowledgment'), defaults.answer),
  code: optional(choice('AA', 'AE', 'AR'), defaults.code),
  responseType: optional(choice('general', 'standard'), defaults.responseType),
};

/** Nothing at the edge; a deploy checks the node's choices. */
export const contribute = contributeFrom(fields, () => ({}));

const codes: readonly unknown[] = ['AA', 'AE', 'AR'] satisfies readonly Acknowledgment['code'][];

/**
 * What the node answers with; what `msg.reply` says of `code` and `text` overrules the form. Undefined where its code
 * is none of AA, AE and AR.
 */
export function toResponse(config: Hl7ReplyConfig, reply: unknown): FlowResponse | undefined {
  if (config.answer === 'payload') return { kind: 'payload' };
  const { code = config.code, text = config.text } = (reply ?? {}) as {
    readonly code?: unknown;
    readonly text?: unknown;
  };
  if (!isCode(code)) return undefined;
  const said = typeof text === 'string' ? text.trim() : '';
  return {
    kind: 'acknowledgment',
    code,
    type: config.responseType,
    ...(said === '' ? {} : { text: said }),
  };
}

function isCode(value: unknown): value is Acknowledgment['code'] {
  return codes.includes(value);
}
