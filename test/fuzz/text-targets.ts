import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { toByteRanges } from '../../core/hl7v2/byte-range.ts';
import { decodeMessage } from '../../core/hl7v2/charset.ts';
import {
  formatTimestamp,
  fromFhirDateTime,
  parseFhirDateTime,
} from '../../core/hl7v2/fhir-timestamp.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { applyProfile } from '../../core/hl7v2/profile/apply-profile.ts';
import { importProfileXml } from '../../core/hl7v2/profile/import-xml.ts';
import { parseProfile } from '../../core/hl7v2/profile/parse-profile.ts';
import { formatLines, renderText } from '../../core/hl7v2/text-lines.ts';
import { parseTimestamp, toFhirDateTime, toFhirInstant } from '../../core/hl7v2/timestamp.ts';
import { expectSame, expectThat, tryTo, type Target } from './expect.ts';
import { mutate } from './mutate.ts';

const root = join(import.meta.dirname, '../..');
const definitions = openDefinitions();

/** Laws of values, of places by their group, and of what a site writes. */
export const textTargets: Readonly<Record<string, Target>> = {
  'formatted text has lines, and no more than it asks for'(bytes) {
    const { text, charset } = decodeMessage(bytes);
    const delimiters = {
      field: '|',
      component: '^',
      repetition: '~',
      escape: '\\',
      subcomponent: '&',
    };
    const lines = renderText(text, delimiters, charset);
    expectThat(lines.length >= 1 && lines.length <= 1 + 200 * text.length, 'so many lines');
    const shown = formatLines(lines, 80);
    if (!text.includes('\\')) {
      expectThat(shown === text.replaceAll(/\r\n|\r/g, '\n'), 'the text that it was');
    }
  },

  'every place has its own bytes'(bytes) {
    const { text, charset } = decodeMessage(bytes);
    const parsed = parseMessage(text, { charset });
    if (!parsed.ok || charset.includes('~')) return;
    const places = parsed.message.places('OBX[*]-5[*].1');
    const ranges = toByteRanges(
      text,
      charset,
      places.map(({ range }) => range),
    );
    for (const [index, { range }] of places.entries()) {
      const { start, end } = ranges[index] ?? { start: 0, end: 0 };
      const own = bytes.subarray(start, end);
      if (charset === '8859/1')
        expectSame(own, Buffer.from(text.slice(range.start, range.end), 'latin1'));
      else expectThat(end >= start && end <= bytes.length, 'bytes of the message');
    }
  },

  'a place by its group is a place of the message'(bytes, random) {
    const parsed = parseMessage(bytes, { definitions });
    if (!parsed.ok) return;
    const { message } = parsed;
    const group = random.pick(groups);
    tryTo(() => {
      const all = new Set(message.places('OBX-5').map(({ location }) => location));
      const found = message.places(`${group}.OBX-5`).map(({ location }) => location);
      expectThat(
        found.every((location) => all.has(location)),
        'places of the message',
      );
      expectThat(new Set(found).size === found.length, 'every place once');
    });
    tryTo(() => message.append(`${group}.NTE`, 'NTE|1'));
    tryTo(() => message.set(`${group}.OBX[1]-5`, 'x'));
    tryTo(() => message.remove(`${group}.OBX`));
  },

  'a date is what it was, there and back'(bytes, random) {
    const digits = String(random.whole(1_000_000)).padStart(6, '0');
    const time = ['', '12', '1205', '120559', '120559.1', '120559.0000', '235960'];
    const zones = ['', '+0000', '-0530', '+1400', '-1300'];
    const text = `20${digits}${random.pick(time)}${random.pick(zones)}`;
    const start = random.whole(bytes.length + 1);
    for (const each of [text, bytes.toString('latin1', start, start + 12)]) {
      parseFhirDateTime(each);
      const timestamp = parseTimestamp(each);
      if (timestamp === undefined) continue;
      expectThat(formatTimestamp(timestamp).text === each, 'the same timestamp');
      const fhir = toFhirDateTime(timestamp, random.once(2) ? 'Europe/Berlin' : undefined);
      expectThat(fromFhirDateTime(fhir) !== undefined, 'a dateTime of FHIR');
      const instant = toFhirInstant(timestamp);
      expectThat(instant === undefined || instant === fhir, 'an instant that is the dateTime');
    }
  },

  'a profile is read or refused'(bytes, random) {
    // It costs what the profile's size costs, so not with a small message.
    if (bytes.length < 1_000 || !random.once(10)) return;
    const [yaml, xml] = profiles;
    const text = mutate(yaml, random.once(2) ? yaml : bytes, random).toString();
    const parsed = parseProfile(
      { path: 'p.yaml', text },
      { find: () => undefined, readCodes: () => undefined },
    );
    if (!parsed.ok) expectThat(parsed.issues.length > 0, 'a reason');
    else applyProfile(definitions.of(parsed.profile.version), parsed.profile);
    const imported = importProfileXml(mutate(xml, bytes, random).toString(), {
      definitions,
      name: 'p',
    });
    expectThat(imported.yaml !== undefined || imported.issues.length > 0, 'a profile or a reason');
  },
};

const groups = [
  'ORDER_OBSERVATION',
  'ORDER_OBSERVATION[2]',
  'PATIENT_RESULT.ORDER_OBSERVATION[*]',
  'ORU_R01.OBSERVATION',
  'INSURANCE',
];

/** A profile as a site writes it, and one as others export it. */
const profiles: readonly [Buffer, Buffer] = [
  readFileSync(join(root, 'profiles/lab-results.yaml')),
  Buffer.from(`<?xml version="1.0"?>
<HL7v2xConformanceProfile HL7Version="2.5.1" ProfileType="Constrainable"><MetaData Name="Example"/>
<HL7v2xStaticDef MsgType="ADT" EventType="A01" MsgStructID="ADT_A01">
<Segment Name="MSH" LongName="Header" Usage="R" Min="1" Max="1">
<Field Name="Separator" Usage="R" Min="1" Max="1" Datatype="ST" Length="1"/>
<Field Name="Characters" Usage="R" Min="1" Max="1" Datatype="ST" Length="4" ConstantValue="x"/></Segment>
<SegGroup Name="INSURANCE" LongName="Insurance" Usage="X" Min="0" Max="*">
<Segment Name="IN1" LongName="Insurance" Usage="R" Min="1" Max="1">
<Field Name="Set" Usage="R" Min="1" Max="1" Datatype="CX" Length="20" Table="0203">
<Component Name="Id" Usage="RE" Datatype="ST" Length="15"/></Field></Segment></SegGroup>
</HL7v2xStaticDef></HL7v2xConformanceProfile>`),
];
