import { prepareMappingPicker } from '../editor/mapping-picker.ts';
import { registerNode, colors } from '../editor/register.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.step,
  icon: 'font-awesome/fa-language',
  inputs: 1,
  outputs: 1,
  defaults,
  fields,
  outputLabels() {
    return this._('code-translate.output');
  },
  shownAs: ({ table, from }) => (table === '' ? type : `${from} by ${table}`.trim()),
  oneditprepare() {
    prepareMappingPicker(this);
    const source = $('#node-input-source');
    const show = (): void => {
      const kind = String(source.val());
      // A FHIR element is translated where it is.
      $('.code-translate-to').toggle(kind !== 'fhir');
      if (kind === 'fhir') $('#node-input-to').val('');
      $('#node-input-from').attr('placeholder', this._(`code-translate.example.${kind}`));
    };
    source.on('change', show);
    show();
  },
});
