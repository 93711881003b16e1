import { registerNode, colors } from '../editor/register.ts';
import { labelSenderOutput, prepareSender } from '../editor/sender.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.destination,
  icon: 'font-awesome/fa-sign-out',
  align: 'right',
  inputs: 1,
  outputs: 2,
  defaults,
  fields,
  outputLabels: labelSenderOutput,
  oneditprepare: prepareSender,
  shownAs: (node) =>
    node.host === '' ? type : node._('mllp-out.shownAs', { host: node.host, port: node.port }),
});
