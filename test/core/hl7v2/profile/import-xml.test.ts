import { openDefinitions } from '../../../../connectors/file/definition-files.ts';
import { importProfileXml } from '../../../../core/hl7v2/profile/import-xml.ts';
import { applyProfile } from '../../../../core/hl7v2/profile/apply-profile.ts';
import { parseProfile } from '../../../../core/hl7v2/profile/parse-profile.ts';

const definitions = openDefinitions();
const importXml = (xml: string): ReturnType<typeof importProfileXml> =>
  importProfileXml(xml, { definitions, name: 'Acme lab' });

const profile = (content: string, version = '2.5.1'): string => `<?xml version="1.0"?>
<!DOCTYPE HL7v2xConformanceProfile SYSTEM "http://localhost/message_profile_v1.dtd">
<HL7v2xConformanceProfile HL7Version="${version}" ProfileType="Implementation">
  <MetaData Name="Results of ACME" OrgName="ACME"/>
  <HL7v2xStaticDef MsgType="ORU" EventType="R01" MsgStructID="ORU_R01">
    ${content}
  </HL7v2xStaticDef>
</HL7v2xConformanceProfile>`;

const segment = (name: string, usage: string, content = '', rest = 'Min="0" Max="1"'): string =>
  `<Segment Name="${name}" LongName="" Usage="${usage}" ${rest}>${content}</Segment>`;

/** Fields up to a position, only the last with anything to say. */
const fieldAt = (position: number, attributes: string, content = ''): string =>
  `${'<Field Name=""/>'.repeat(position - 1)}<Field ${attributes}>${content}</Field>`;

const whole = profile(`
  ${segment('MSH', 'R', fieldAt(4, 'Name="Sending Facility" Usage="R" Min="1" Max="1"'), 'Min="1" Max="1"')}
  <SegGroup Name="PIDPV1" Usage="R" Min="1" Max="1">
    <SegGroup Name="PID" Usage="R" Min="1" Max="1">
      ${segment(
        'PID',
        'R',
        `<Field Name="Set ID" Usage="X"/><Field/>
         <Field Name="List" Usage="R" Min="2" Max="3" Datatype="CX" Length="80">
           <Predicate/>
           <Component Name="ID" Usage="R" Datatype="ST" Length="20"/>
           <Component Name="Check" Usage="X" Datatype="ST"/>
           <Component Name="Scheme" Usage="O"/>
           <Component Name="Authority" Usage="R"><SubComponent Name="Namespace" Usage="R" ConstantValue="AC&amp;ME"/></Component>
         </Field>
         <Field/><Field/><Field/><Field/>
         <Field Name="Sex" Usage="RE" Table="0085"><DataValues ExValue="F"/></Field>`,
        'Min="1" Max="1"',
      )}
      ${segment('ZPI', 'R', '<Field Name="Ward" Usage="R" Datatype="ST" Length="5" Table="9999"/>', 'Min="1" Max="1"')}
      <SegGroup Name="VISIT" Usage="X" Min="0" Max="0">${segment('PV1', 'R', '', 'Min="1" Max="1"')}</SegGroup>
    </SegGroup>
    <SegGroup Name="OBR" Usage="R" Min="1" Max="*">
      ${segment('OBR', 'R', '', 'Min="1" Max="1"')}
      <SegGroup Name="OBSERVATION" Usage="C" Min="0" Max="*">
        ${segment('OBX', 'R', fieldAt(5, 'Usage="C" Datatype="varies"', '<Predicate>If OBX-11 is F</Predicate>'), 'Min="1" Max="1"')}
      </SegGroup>
      <SegGroup Name="SPECIMEN" Usage="O" Min="0" Max="2">
        ${segment('SPM', 'R', '', 'Min="1" Max="1"')}
        ${segment('OBX', 'O', fieldAt(5, 'Usage="R"'), 'Min="0" Max="*"')}
      </SegGroup>
    </SegGroup>
  </SegGroup>`);

describe('a conformance profile in XML', () => {
  test('becomes a profile of what is different from the version', () => {
    expect(importXml(whole).yaml).toBe(
      `profile: Acme-lab
title: Results of ACME
version: 2.5.1
messages: [ORU^R01]
segments:
  PATIENT_RESULT: {max: 1}
  PATIENT: R
  ZPI: {after: PID, usage: R}
  VISIT: X
  SPECIMEN: {max: 2}
fields:
  MSH-4: R
  PID-1: X
  PID-3: {min: 2, max: 3, length: ..80}
  PID-3.1: {length: ..20}
  PID-3.2: X
  PID-3.4: R
  PID-3.4.1: {usage: R, fixed: AC&ME}
  PID-8: {usage: RE, codes: "0085"}
  ZPI-1: {name: Ward, usage: R, datatype: ST, length: ..5}
  OBSERVATION.OBX-5: {note: "Condition, not checked: If OBX-11 is F"}
  SPECIMEN.OBX-5: R
`,
    );
  });

  test('is one that fits its version', () => {
    const { yaml = '' } = importXml(whole);
    const parsed = parseProfile(
      { path: 'x', text: yaml },
      { find: () => undefined, readCodes: () => undefined },
    );
    expect(parsed.ok && applyProfile(definitions.of('2.5.1'), parsed.profile).ok).toBe(true);
  });

  test('says what it cannot take along', () => {
    const lost = importXml(whole).issues.map(({ code, message }) => `${code} ${message}`);
    expect(lost).toEqual([
      expect.stringMatching(/^profile-import-incomplete OBSERVATION: .*usage C/),
      expect.stringMatching(/^profile-import-incomplete ZPI-1: .*table 9999/),
      expect.stringMatching(/^profile-import-incomplete OBSERVATION\.OBX-5: .*condition/),
      expect.stringMatching(/^profile-import-omitted DataValues: 1 /),
    ]);
  });

  test.each([
    ['an unknown element', '<Constraint/>', 'the element Constraint'],
    ['an unknown attribute', segment('MSH', 'R', '', 'Strength="9"'), 'the attribute Strength'],
    ['a usage that nobody knows', segment('PID', 'Q'), 'usage "Q"'],
    ['a datatype of another version', segment('PID', 'R', fieldAt(3, 'Datatype="XYZ"')), 'XYZ'],
  ])('reports %s', (_, content, reason) => {
    const { issues } = importXml(profile(content));
    expect(issues.map(({ message }) => message).join('\n')).toContain(reason);
  });
});

describe('what is no conformance profile is refused with the reason', () => {
  test.each([
    ['', 'no XML'],
    ['MSH|^~\\&|', 'no XML'],
    ['<a><b></a>', 'no XML'],
    ['<ConformanceProfile ID="1"><Messages/></ConformanceProfile>', 'IGAMT'],
    ['<html/>', 'found html'],
    [profile('', '2.99'), 'found "2.99"'],
    [profile('').replace('R01', 'R99'), 'no structure for ORU^R99'],
    [`<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><a>&y;</a>`, 'entities'],
    [`${'<a>'.repeat(5_000)}${'</a>'.repeat(5_000)}`, 'XML'],
  ])('%.60s', (xml, reason) => {
    const { yaml, issues } = importXml(xml);
    expect(yaml).toBeUndefined();
    expect(issues).toMatchObject([{ code: 'profile-xml-unsupported', severity: 'error' }]);
    expect(issues[0]?.message).toContain(reason);
  });
});

test('takes no more fields than a segment can have', () => {
  const { yaml, issues } = importXml(
    profile(segment('PID', 'R', '<Field Name="x" Usage="O"/>'.repeat(20_000))),
  );
  expect(yaml?.split('\n').length).toBeLessThan(600);
  expect(issues).toContainEqual(expect.objectContaining({ code: 'profile-import-incomplete' }));
});
