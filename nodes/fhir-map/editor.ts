import { versions } from '../../core/hl7v2/definitions/versions.ts';
import { prepareMappingPicker } from '../editor/mapping-picker.ts';
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
    return this._('fhir-map.output');
  },
  shownAs: ({ event, layers }) => [type, event, layers].filter((part) => part !== '').join(' '),
  oneditprepare() {
    const version = $('#node-input-version');
    version.append($('<option>').val('').text(this._('fhir-map.usualVersion')));
    for (const name of versions) version.append($('<option>').val(name).text(name));
    version.val(this.version);
    prepareMappingPicker(this);
  },
});
