import { buildInput, buildSelect } from './list-row.ts';
import { needsValue, operators, type Operator, type Rule } from '../hl7-route/definition.ts';

const kinds = ['type', 'field', 'table'] as const;

/** Fills one entry of the list with what a rule of its kind needs. */
export function buildRow(container: JQuery, rule: Rule, text: (key: string) => string): void {
  container.css({ display: 'flex', gap: '6px', 'align-items': 'center' });
  const kind = buildSelect('hl7-route-kind', kinds, (name) => text(`kind.${name}`)).css({
    width: '145px',
  });
  const operator = buildSelect('hl7-route-operator', operators, (name) =>
    text(`operator.${name}`),
  ).css({
    width: '130px',
  });
  const path = buildInput('hl7-route-path', text('placeholder.path')).css({ width: '110px' });
  const value = buildInput('hl7-route-value', '').css({ 'flex-grow': '1', 'min-width': '60px' });
  const output = $('<span>')
    .addClass('hl7-route-output')
    .css({ 'flex-shrink': '0', 'white-space': 'nowrap' });
  container.append(kind, path, operator, value, output);

  const show = (): void => {
    const chosen = kind.val() as Rule['kind'];
    const compares = needsValue(operator.val() as Operator);
    path.toggle(chosen !== 'type');
    operator.toggle(chosen === 'field');
    value.toggle(chosen !== 'field' || compares);
    value.attr('placeholder', text(`placeholder.${placeholders[chosen]}`));
  };
  kind.val(rule.kind).on('change', show);
  operator.val(rule.kind === 'field' ? rule.operator : 'equals').on('change', show);
  path.val(rule.kind === 'type' ? '' : rule.path);
  value.val(rule.kind === 'table' ? rule.values : rule.value);
  show();
}

const placeholders = { type: 'type', field: 'value', table: 'values' } as const;

/** The rule that an entry of the list shows. */
export function readRow(row: JQuery): Rule {
  const read = (name: string): string => String(row.find(`.hl7-route-${name}`).val() ?? '');
  const path = read('path').trim();
  const value = read('value');
  switch (read('kind')) {
    case 'field':
      return { kind: 'field', path, operator: read('operator') as Operator, value };
    case 'table':
      return { kind: 'table', path, values: value.trim() };
    default:
      return { kind: 'type', value: value.trim() };
  }
}

/** Shows to which output (1-based) each entry of the list sends. */
export function numberRows(rows: readonly HTMLElement[]): void {
  for (const [index, row] of rows.entries()) {
    $(row)
      .find('.hl7-route-output')
      .text(`→ ${index + 1}`);
  }
}
