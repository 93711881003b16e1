import { prepareFhirValidation } from '../editor/fhir-validation.ts';
import { registerNode, colors } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.step,
  icon: 'font-awesome/fa-check-square-o',
  inputs: 1,
  outputs: 2,
  defaults,
  fields,
  outputLabels(index) {
    return this._(index === 0 ? 'fhir-validate.output.valid' : 'fhir-validate.output.invalid');
  },
  shownAs: () => type,
  oneditprepare: prepareFhirValidation,
});
