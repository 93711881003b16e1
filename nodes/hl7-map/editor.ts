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
    return this._('hl7-map.output');
  },
  shownAs: ({ mapping, layers }) =>
    [type, textOf(mapping), textOf(layers)].filter((part) => part !== '').join(' '),
  oneditprepare() {
    prepareMappingPicker(this);
    prepareFhirValidation();
    prepareMappingTry(this);
  },
});
