import { registerNode, colors } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.reject,
  icon: 'font-awesome/fa-ban',
  align: 'right',
  inputs: 1,
  outputs: 0,
  defaults,
  fields,
  shownAs: ({ code }) => (code === '' || code === defaults.code ? type : code),
});
