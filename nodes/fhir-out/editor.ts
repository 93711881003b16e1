import { registerNode, colors } from '../editor/register.ts';
import { labelSenderOutput, prepareSender } from '../editor/sender.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.destination,
  icon: 'font-awesome/fa-fire',
  align: 'right',
  inputs: 1,
  outputs: 2,
  defaults,
  fields,
  outputLabels: labelSenderOutput,
  oneditprepare: prepareSender,
  shownAs: ({ baseUrl }) => /^https?:\/\/([^/]+)/.exec(baseUrl)?.[1] ?? type,
});
