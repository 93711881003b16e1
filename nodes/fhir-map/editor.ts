import { versions } from '../../core/hl7v2/definitions/versions.ts';
import { prepareFhirValidation } from '../editor/fhir-validation.ts';
import { prepareMappingPicker } from '../editor/mapping-picker.ts';
import { prepareMappingTry } from '../editor/mapping-try.ts';
import { registerNode, colors } from '../editor/register.ts';
import { textOf } from '../shared/contribution.ts';
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
  shownAs: ({ map, event, layers }) =>
    [type, textOf(map), event, layers].filter((part) => part !== '').join(' '),
  oneditprepare() {
    const version = $('#node-input-version');
    version.append($('<option>').val('').text(this._('fhir-map.usualVersion')));
    for (const name of versions) version.append($('<option>').val(name).text(name));
    version.val(this.version);
    prepareMappingPicker(this);
    prepareFhirValidation();
    prepareMappingTry(this, { isFhir: true });
    const map = $('#node-input-map');
    const show = (): void => {
      $('.fhir-map-to-v2').toggle(map.val() === '');
      $('.fhir-map-to-fhir').toggle(map.val() !== '');
    };
    map.on('change', show);
    show();
  },
});
