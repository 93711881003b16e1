import { registerNode, colors } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.source,
  icon: 'font-awesome/fa-inbox',
  inputs: 0,
  outputs: 1,
  defaults,
  fields,
  outputLabels() {
    return this._('queue-in.output');
  },
  shownAs: ({ topic }) => topic || type,
});
