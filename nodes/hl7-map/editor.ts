import { registerNode, colors } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.step,
  icon: 'font-awesome/fa-exchange',
  inputs: 1,
  outputs: 1,
  defaults,
  fields,
  outputLabels() {
    return this._('hl7-map.output');
  },
  shownAs: ({ mapping }) => (mapping === '' ? type : `${type} ${mapping}`),
});
