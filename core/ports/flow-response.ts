/** A response out of a flow: `msg.payload` as it is, or an acknowledgment made for the message that came in. */
export type FlowResponse =
  | { readonly kind: 'payload' }
  | {
      readonly kind: 'acknowledgment';
      readonly code: 'AA' | 'AE' | 'AR';
      /** For people at the partner: in MSA-3 as far as the version has it, and in an ERR segment of a refusal. */
      readonly text?: string;
      /** MSH-9: the general acknowledgment, or the response that the standard has for the message. */
      readonly type: 'general' | 'standard';
    };
