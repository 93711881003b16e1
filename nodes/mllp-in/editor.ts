import { registerNode, colors } from '../editor/register.ts';
import { portNumber } from '../shared/fields.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.source,
  icon: 'font-awesome/fa-sign-in',
  inputs: 0,
  outputs: 1,
  defaults,
  // The system's choice (0) suits tests alone: here a partner must know where to connect.
  fields: { ...fields, port: portNumber },
  oneditprepare() {
    const acknowledge = $('#node-input-acknowledge');
    const order = $('#node-input-order');
    const show = (): void => {
      $('.mllp-in-profile').toggle(acknowledge.val() === 'validated');
      $('.mllp-in-wait').toggle(acknowledge.val() === 'processed');
      $('.mllp-in-by-key').toggle(order.val() === 'key');
      $('.mllp-in-in-order').toggle(order.val() !== 'none');
    };
    acknowledge.on('change', show);
    order.on('change', show);
    show();
  },
  outputLabels() {
    return this._('mllp-in.output');
  },
  shownAs: (node) => (node.port === '' ? type : node._('mllp-in.shownAs', { port: node.port })),
});
