import { registerNode, colors } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.destination,
  icon: 'font-awesome/fa-bullhorn',
  align: 'right',
  inputs: 1,
  outputs: 1,
  defaults,
  fields: { topic: fields.topic },
  outputLabels() {
    return this._('queue-out.output');
  },
  shownAs: ({ topic }) => topic || type,
});
