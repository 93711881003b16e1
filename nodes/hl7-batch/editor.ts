import { colors, registerNode } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.step,
  icon: 'font-awesome/fa-clone',
  inputs: 1,
  outputs: 1,
  defaults,
  fields,
  shownAs: (node) => node._(`hl7-batch.shownAs.${node.mode}`),
  oneditprepare() {
    const show = (): void => {
      const isJoin = $('#node-input-mode').val() === 'join';
      $('.hl7-batch-split').toggle(!isJoin);
      $('.hl7-batch-join').toggle(isJoin);
      $('.hl7-batch-count').toggle(isJoin && $('#node-input-collect').val() === 'count');
    };
    $('#node-input-mode, #node-input-collect').on('change', show);
    show();
  },
});
