/** A choice in an entry of an editable list, found again by its class. */
export function buildSelect(
  className: string,
  choices: readonly string[],
  label: (choice: string) => string,
): JQuery {
  const options = choices.map((choice) => $('<option>').val(choice).text(label(choice)));
  return $('<select>').addClass(className).append(options);
}

/** A text in an entry of an editable list, found again by its class. */
export function buildInput(className: string, placeholder: string): JQuery {
  return $('<input>').attr({ type: 'text', placeholder }).addClass(className);
}

/** Gives an editable list what the dialog's other rows leave of its height. */
export function fitList(
  list: JQuery,
  ownRow: string,
  { height }: { readonly height: number },
): void {
  const others = $(`#dialog-form > div:not(${ownRow})`).toArray();
  const taken = others.reduce((sum, row) => sum + ($(row).outerHeight(true) ?? 0), 0);
  list.editableList('height', Math.max(150, height - taken));
}
