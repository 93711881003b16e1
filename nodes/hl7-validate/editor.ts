import { versions } from '../../core/hl7v2/definitions/versions.ts';
import { registerNode, colors } from '../editor/register.ts';
import { textOf } from '../shared/contribution.ts';
import { defaults, fields, type } from './definition.ts';

registerNode(type, {
  color: colors.step,
  icon: 'font-awesome/fa-check-square-o',
  inputs: 1,
  outputs: 2,
  defaults,
  fields,
  outputLabels(index) {
    return this._(index === 0 ? 'hl7-validate.output.valid' : 'hl7-validate.output.invalid');
  },
  // A node that was saved before there were profiles has none.
  shownAs: (node) => (textOf(node.profile) === '' ? type : `${type}: ${node.profile}`),
  oneditprepare() {
    const version = $('#node-input-version');
    version.append($('<option>').val('').text(this._('hl7-validate.ownVersion')));
    for (const name of versions) version.append($('<option>').val(name).text(name));
    version.val(this.version);
    // A profile has a version of its own.
    const profile = $('#node-input-profile');
    const show = (): void => {
      const hasProfile = profile.val() !== '';
      $('.hl7-validate-version').toggle(!hasProfile);
      if (hasProfile) version.val('');
    };
    profile.on('input', show);
    show();
  },
});
