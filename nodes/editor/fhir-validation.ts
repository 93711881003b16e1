/** Profiles are only checked by a full validation: else the dialog does not ask for them. */
export function prepareFhirValidation(): void {
  const validation = $('#node-input-validation');
  const show = (): void => {
    $('.hilum-validation-profiles').toggle(validation.val() === 'full');
  };
  validation.on('change', show);
  show();
}
