import { parseGuideCondition } from '../../../../core/mapping/guide/condition.ts';

test.each([
  ['IF PID-29 VALUED', 'PID-29 valued'],
  ['IF ORC VALUED', 'ORC valued'],
  ['IF PV1-20 VALUE', 'PV1-20 valued'],
  ['IF TQ1-6 NOT VAlUED', 'TQ1-6 not valued'],
  ['IF TQ1-3.9 IS EMPTY', 'TQ1-3.9 not valued'],
  [
    'IF XCN.19 DOES NOT EXIST AND IF XCN.20 DOES NOT EXIST',
    '19 not valued and 20 not valued',
    'XCN.1',
  ],
  ['IF XCN.19 NOT VALUED XCN.20 NOT VALUED', '19 not valued and 20 not valued', 'XCN.1'],
  ['IF PID-33 AND PID-34 VALUED', 'PID-33 valued and PID-34 valued'],
  ['IF PRT-5 OR PRT-6 IS VALUED', 'PRT-5 valued or PRT-6 valued'],
  ['IF OBX-2="ED"', "OBX-2 = 'ED'"],
  ["IF IN1-17 IS NOT 'patient'", "IN1-17 != 'patient'"],
  ['IF EVN-4 NOT "U"', "EVN-4 != 'U'"],
  ['IF PRT-2 IS IN ("A", "S", "U", X")', "PRT-2 in ('A', 'S', 'U', 'X')"],
  ['IF OBX-33 COUNT>1', 'count(OBX-33) > 1'],
  [
    'IF OBX-5 LST.count LESS THAN OR EQUALS 1 OR OBX-2 IS "NA"',
    "count(OBX-5) <= 1 or OBX-2 = 'NA'",
  ],
  ['IF PID-7 LENGTH GREATER THAN 8', 'length(PID-7) > 8'],
  ['IF OBX-2 EQUALS "ED" AND IF OBX-5.4 EQUALS "Base64"', "OBX-2 = 'ED' and OBX-5.4 = 'Base64'"],
  ['IF (OBX-2 EQUALS "SN"  AND OBX-5.1  EQUALS "<>"', "OBX-2 = 'SN' and OBX-5.1 = '<>'"],
  [
    'IF EVN-5 NOT VALUED AND (MSH-22 IS VALUED OR MSH-4 IS VALUED)',
    'EVN-5 not valued and (MSH-22 valued or MSH-4 valued)',
  ],
  ['IF ORC.1 IS "NW"', "ORC-1 = 'NW'"],
  ['IF HD.1 NOT VALUED AND IF HD-3 = "ISO"', "1 not valued and 3 = 'ISO'", 'HD.2'],
  ['IF NOT VALUED AND RXA-21 NOT EQUALS "D"', "RXA-20 not valued and RXA-21 != 'D'", 'RXA-20'],
  ['IF CX.5 IS "SN"', "IN1-10.5 = 'SN'", 'IN1-10'],
  ['IF NOT EQUAL TO "="', "1 != '='", 'SN.1'],
  ['IF IAM-15 VALUED AND NOT "SEL"', "IAM-15 valued and IAM-15 != 'SEL'"],
  [
    'IF PL.8 VALUED AND PL.2 NOT VALUED AND PL3.NOT VALUED',
    '8 valued and 2 not valued and 3 not valued',
    'PL.8',
  ],
])('%s means %s', (text, expected, row = 'PID-1') => {
  expect(parseGuideCondition(text, row)).toEqual({ ok: true, when: expected });
});

test.each([
  ['ic', '"ic"'],
  ['IF PRT-5 AND PRT-6 AREA NOT VALUED', '"AREA"'],
  ['IF CX.4 IN http://hl7.org/registry', 'no meaning'],
  ['IF NOT MAPPED ERROR', '"MAPPED"'],
  ['IF OBR-25 NOT VALUED ERROR', '"ERROR"'],
  ['IF PID-11.9 IS VALUED NOT EQUAL PID-12', '"PID-12"'],
  ['IF PID-11', 'the end'],
])('says why %s is none', (text, expected) => {
  const result = parseGuideCondition(text, 'PID-1');
  expect(result.ok ? result.when : result.message).toContain(expected);
});
