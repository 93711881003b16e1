import { colors, registerNode } from '../editor/register.ts';
import { defaults, fields, type, type Hl7ReplyConfig } from './definition.ts';

registerNode<Hl7ReplyConfig>(type, {
  color: colors.destination,
  icon: 'font-awesome/fa-reply',
  align: 'right',
  inputs: 1,
  outputs: 1,
  defaults,
  fields,
  oneditprepare() {
    const answer = $('#node-input-answer');
    const show = (): void => {
      $('.hl7-reply-acknowledgment').toggle(answer.val() === 'acknowledgment');
    };
    answer.on('change', show);
    show();
  },
  outputLabels() {
    return this._('hl7-reply.output');
  },
  shownAs: ({ answer, code }) => (answer === 'acknowledgment' ? `${type} ${code}` : type),
});
