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
