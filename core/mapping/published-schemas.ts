import { caseSchema } from './cases/schema.ts';
import { mappingSchemas } from './schema.ts';

const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** What editors show for a property, by its name: the words of docs/mapping.md, shorter. */
const descriptions: Readonly<Record<string, string>> = {
  from: 'Where the value comes from: PID-3, PID-3[*] for each repetition, 4.2 or . in a datatype map.',
  to: 'Where it goes: name[+].family the next element, name[-1] the last, $this what is being built.',
  via: 'The map that makes the element.',
  table: 'The code table that translates the code.',
  fn: 'The function that converts the value.',
  const: 'A fixed value; with from only where that is valued.',
  when: "A condition: PID-29 valued, OBX-2 in ('CE', 'CWE'), count(PID-11) > 1.",
  ifNone: 'The rule runs only while no element was written whose name, or path, begins so.',
  also: 'Constants that are written beside the value.',
  join: 'Makes one text of all repetitions, with this between them.',
  ignore: 'Why the field is not mapped, or what was selected has no place in the message.',
  onUnmapped: 'What becomes of a code that the table lacks.',
  dir: 'toFhir: only for the way there. toV2: only for the way back, from a path in FHIR to a field.',
  forEach: 'One for each: a type (Observation), @label.result, or Observation.encounter=@label.',
  with: 'Of the first of these: a type, @label.subject, or Encounter.subject=@label.',
  where: 'Which of what was found count: a condition over it.',
  except: 'What of it does not count: selected like it.',
  unused: 'Only what no part before has taken anything of.',
  again: 'Whether other parts may take again what it takes.',
  labels: 'More labels, each for the first of what its selector finds.',
  include: 'The block whose resources stand here.',
  within: 'The group or segments in which it looks or counts.',
  as: 'The label by which others find what was selected or made: @label, needs, extend.',
  maps: 'The maps whose rules are run the way back: OBR.ServiceRequest @order.',
  severity: 'How bad it is that this is left out: of an error the message is none.',
  setId: 'The field that numbers the segments: OBX-1.',
  required: 'Fields without which the segment is of no use.',
  must: 'Whether the message is none without it.',
  move: 'What is copied is emptied where it stood.',
  drop: 'Why it is left out.',
  rest: 'What no rule names: keep it, or leave it out and list it as unconsumed.',
  override: 'In a layer: what becomes of the rule, resource or reference with this id.',
  ig: 'The row of the HL7 Version 2 to FHIR guide that the rule follows: PID-3.',
  note: 'For people.',
  layer: 'The layer in which the file counts.',
  extends: 'The map that the file changes.',
  facts:
    "What must come out: Patient[0].gender, count.Observation; '*' for anything that is there.",
  assert: 'FHIRPath expressions that must be true: Patient.birthDate = @1980-01-02.',
  golden: 'A JSON file beside this one: the whole Bundle. hilum mapping test --update writes it.',
  unconsumed: 'The fields that no rule takes, exactly.',
  issues: 'The codes of all issues, exactly.',
  identity: 'How the resource is found again when the message comes again.',
};

/**
 * The schemas by which mapping files are validated, as they are published for editors: by file name, each a
 * JSON Schema 2020-12 document. Beyond what the compiler validates with, they only describe.
 */
export function toPublishedSchemas(): Readonly<Record<string, object>> {
  return {
    'map.schema.json': publish('Segment and datatype maps of Hilum', mappingSchemas.map),
    'message-map.schema.json': publish('Message maps of Hilum', mappingSchemas.messageMap),
    'message-block.schema.json': publish(
      'Blocks of message maps of Hilum',
      mappingSchemas.messageBlock,
    ),
    'v2-message-map.schema.json': publish(
      'Message maps of Hilum from FHIR to HL7 v2',
      mappingSchemas.v2MessageMap,
    ),
    'v2-map.schema.json': publish('Maps of Hilum from HL7 v2 to HL7 v2', mappingSchemas.v2Map),
    'fhir-map.schema.json': publish('Maps of Hilum from FHIR to FHIR', mappingSchemas.fhirMap),
    'conceptmap.schema.json': publish('Code tables of Hilum', mappingSchemas.conceptMap),
    'case.schema.json': publish('Test cases of maps of Hilum', caseSchema),
  };
}

const publish = (title: string, schema: object): object => ({
  $schema: dialect,
  title,
  ...describe(schema),
});

function describe(schema: object): object {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]: [string, unknown]) => [
      key,
      key === 'properties' && isObject(value) ? describeProperties(value) : describeValue(value),
    ]),
  );
}

function describeProperties(properties: object): object {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]: [string, unknown]) => {
      const description = descriptions[name];
      const described = describeValue(schema);
      // A condition on a value (`override: disable`) is no place for words.
      const isPlace = isObject(described) && !('const' in described);
      return [
        name,
        isPlace && description !== undefined ? { description, ...described } : described,
      ];
    }),
  );
}

function describeValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(describeValue);
  return isObject(value) ? describe(value) : value;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
