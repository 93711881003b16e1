import { findUcum, isUcum } from '../../../core/fhir/ucum.ts';

const units = [
  ...[
    'mg/dL',
    'mg/dl',
    '10*3/uL',
    '10^3/uL',
    '%',
    '{beats}/min',
    '[IU]/L',
    'mL/min/{1.73_m2}',
    '/[HPF]',
  ],
  ...[
    'mm[Hg]',
    'Cel',
    '[degF]',
    'umol/mol{creat}',
    'mg/(24.h)',
    '/100{WBC}',
    '1',
    '{INR}',
    'dyn.s/cm5',
  ],
  ...['kg/m2', 'ug/kg/min', '[lb_av]', 'meq/L', 'mosm/kg', "[arb'U]/mL", '10*-3', 'a', 'wk'],
];

it.each(units)('takes %s as a unit of UCUM', (unit) => {
  expect(isUcum(unit)).toBe(true);
});

/** What senders write, and what of UCUM is meant; undefined where nobody can know. */
const others: readonly (readonly [string, string | undefined])[] = [
  ['x10^3/uL', '10*3/uL'],
  ['X10E3/uL', '10*3/uL'],
  ['10**6/uL', '10*6/uL'],
  ['mcg/mL', 'ug/mL'],
  ['µg/L', 'ug/L'],
  ['gm/dL', 'g/dL'],
  ['GM/DL', 'g/dL'],
  ['MMOL/L', 'mmol/L'],
  ['mmHg', 'mm[Hg]'],
  ['mm Hg', 'mm[Hg]'],
  ['IU/L', '[IU]/L'],
  ['mEq/L', 'meq/L'],
  ['mg / dL', 'mg/dL'],
  ['beats/min', '{beats}/min'],
  ['/hpf', '/[HPF]'],
  ['sec', 's'],
  ['lbs', '[lb_av]'],
  ['mg//dL', undefined],
  ['see note', undefined],
  ['', undefined],
];

it.each(others)('takes "%s" for no unit of UCUM, and knows that %s is meant', (notation, meant) => {
  expect(isUcum(notation)).toBe(false);
  expect(findUcum(notation)).toBe(meant);
});

it('prints nothing for a text with blanks', () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  expect(isUcum('as Low Al said')).toBe(false);
  expect(log).not.toHaveBeenCalled();
  log.mockRestore();
});
