import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { MappingFile } from '../../../core/mapping/document.ts';
import { compileMappings } from '../../../core/mapping/mapper.ts';
import { patientMessage, patientSegment } from '../../support/small-mappings.ts';

const file = (path: string, text: string): MappingFile => ({ path, text });

const files = [
  patientMessage(),
  patientSegment(
    "{ id: own, from: 'PID-5[*]', to: 'name[+].family' }",
    '{ id: before, from: PID-8, to: gender }',
    '{ id: this, from: PID-9, to: $this, via: XPN.part }',
    "{ id: after, from: PID-6, to: 'name[+].family' }",
  ),
  file(
    'datatype/XPN.part.map.yaml',
    `kind: DatatypeMap
id: XPN.part
source: { v2: XPN }
target: { fhir: Patient }
rules:
  - { id: family, from: '1', to: 'name[+].family', also: { 'name[-1].use': old } }
  - { id: given, from: '2', to: 'name[+].given[+]' }
  - { id: code, from: '3', to: gender }
  - { id: city, from: '4', to: 'address[+].city' }
`,
  ),
];

function map(pid: string, provenance: boolean) {
  const compiled = compileMappings(files);
  if (!compiled.ok) throw new Error(compiled.issues.map(({ message }) => message).join('; '));
  const parsed = parseMessage(`MSH|^~\\&|A|B|||20260102||ORU^R01|M1|P|2.5\r${pid}`);
  if (!parsed.ok) throw new Error('not parsed');
  const result = compiled.mapper.map(parsed.message, { provenance });
  const patient = result.resource?.entry?.[0]?.resource as Record<string, unknown> | undefined;
  const sources = result.provenance.map(
    ({ target, source }) => `${target.replace('Bundle.entry[0].resource.', '')} <- ${source}`,
  );
  return { patient, sources };
}

const pid = 'PID|||C3||Low~Lowe|Mum||male|Olde^Al^female^Town';

describe('an element written to $this', () => {
  test.each([false, true])('joins its lists with those that are there (traced: %s)', (traced) => {
    expect(map(pid, traced).patient).toMatchObject({
      name: [
        { family: 'Low' },
        { family: 'Lowe' },
        { family: 'Olde', use: 'old' },
        { given: ['Al'] },
        { family: 'Mum' },
      ],
      gender: 'female',
      address: [{ city: 'Town' }],
    });
  });

  test('says where each item of a joined list came from', () => {
    expect(map(pid, true).sources).toEqual(
      expect.arrayContaining([
        'name[0].family <- PID-5[1]',
        'name[1].family <- PID-5[2]',
        'name[2].family <- PID-9[1].1',
        'name[2].use <- PID-9[1].1',
        'name[3].given[0] <- PID-9[1].2',
        'name[4].family <- PID-6[1]',
        'address[0].city <- PID-9[1].4',
      ]),
    );
  });
});
