/**
 * What a profile's file may hold, as JSON Schema 2020-12, for the reader and for editors
 * (`profiles/schema/profile.schema.json` is this). What a schema cannot say (that a path exists in the
 * version) `applyProfile` checks. Descriptions are shown in editors and in issues. Numbers are also taken as
 * texts: the reader takes every value as it is written, so that the code 0085 keeps its zero.
 */
const scalar = { type: ['string', 'number', 'boolean'] } as const;

const text = { type: 'string', minLength: 1, description: 'A text.' } as const;

const usage = {
  type: 'string',
  pattern: '^(?:R|RE|O|C|X|B|W|C\\((?:R|RE|O|X)/(?:R|RE|O|X)\\))$',
  description:
    'Usage: R required, RE required but may be empty (a warning when it is), O optional, X must be absent, C(R/O) conditional: R where `when` holds, else O.',
} as const;

const plainUsage = {
  type: 'string',
  enum: ['R', 'RE', 'O', 'X'],
  description: 'Usage: R, RE, O or X.',
} as const;

const itemUsage = {
  type: 'string',
  enum: ['R', 'RE', 'O', 'X'],
  description:
    'Usage of a segment or group: R required, RE required but may be empty, O optional, X must be absent.',
} as const;

const min = {
  type: ['string', 'integer'],
  pattern: '^\\d{1,5}$',
  minimum: 0,
  description: 'The fewest repetitions: a whole number.',
} as const;

const max = {
  type: ['string', 'integer'],
  pattern: '^(?:\\d{1,5}|\\*)$',
  minimum: 0,
  description: 'The most repetitions: a whole number, or "*" for any number.',
} as const;

const place = {
  type: 'string',
  pattern: '^[A-Z][A-Z0-9_]*(?:\\.[A-Z][A-Z0-9_]*)*$',
  description: 'A segment or group by its place, such as ORDER_OBSERVATION.OBR.',
} as const;

const note = {
  type: 'string',
  description: 'Why: the guide and its section, or who asked for it. For people.',
} as const;

const codeList = {
  type: 'array',
  minItems: 1,
  items: { ...scalar, description: 'A code, as it is written in the message.' },
  description: 'Codes, such as [F, C].',
} as const;

const tableId = {
  type: ['string', 'integer'],
  pattern: '^\\d{4}$',
  description: 'An HL7 table by its four digits, such as "0001".',
} as const;

const codeSetProperties = {
  list: codeList,
  table: tableId,
  set: { ...text, description: 'The name of a value set of `valueSets`.' },
  file: {
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9_. -]*\\.(?:txt|csv)$',
    description:
      'A text or CSV file beside the profile, a code a line, in the first column where there are several.',
  },
  add: { ...codeList, description: 'Codes beyond those of the table, set or file.' },
  remove: { ...codeList, description: 'Codes of the table, set or file that may not be used.' },
  system: {
    ...scalar,
    description:
      'For coded datatypes (CE, CWE, CNE): the name of the coding system, which component 3 must then hold.',
  },
  closed: {
    type: ['string', 'boolean'],
    enum: ['true', 'false', true, false],
    description: 'Whether another code is an error (true, the default) or a warning (false).',
  },
  note,
} as const;

const codes = {
  type: ['string', 'integer', 'array', 'object'],
  minLength: 1,
  minItems: 1,
  items: codeList.items,
  properties: codeSetProperties,
  additionalProperties: false,
  description:
    'The codes that are allowed: a list [F, C]; a table "0001"; the name of a value set; or one of table, set, list or file with add, remove, system, closed.',
} as const;

const item = {
  type: ['string', 'object'],
  properties: {
    usage: itemUsage,
    min,
    max,
    after: { ...place, description: 'Adds the segment behind this segment or group.' },
    before: { ...place, description: 'Adds the segment in front of this segment or group.' },
    note,
  },
  additionalProperties: false,
  pattern: '^(?:R|RE|O|X)$',
  description:
    'The rule of a segment or group: a usage (R, RE, O, X), or any of usage, min, max, after, before, note.',
} as const;

const element = {
  type: ['string', 'object'],
  pattern: usage.pattern,
  properties: {
    name: { ...text, description: 'What the site calls it.' },
    usage,
    when: {
      type: 'string',
      minLength: 1,
      description:
        'The condition of usage C: OBX-11 in [F, C]; PID-3 valued; MSH-9.2 = A03; count(PID-3) > 1; with not, and, or and brackets.',
    },
    then: { ...plainUsage, description: 'With usage C: the usage where the condition holds; R.' },
    otherwise: {
      ...plainUsage,
      description: 'With usage C: the usage where the condition does not hold; O.',
    },
    min,
    max,
    length: {
      type: ['string', 'integer'],
      pattern: '^(?:\\d{1,6}|\\d{0,6}\\.\\.\\d{1,6}|\\d{1,6}\\.\\.)$',
      minimum: 0,
      description:
        'Length in characters: ..20 at most, 1..20 from and to, 3.. at least, 20 at most.',
    },
    datatype: {
      type: 'string',
      pattern: '^(?:[A-Z][A-Z0-9_]{1,9}|varies)$',
      description: 'A datatype of the version, in place of the standard one.',
    },
    fixed: { ...scalar, description: 'The only value that is allowed.' },
    codes,
    pattern: {
      type: 'string',
      minLength: 1,
      description:
        'How the whole value must look: \\d{9}, [A-Z]{2}\\d*, yes|no: characters, classes, how often, alternatives.',
    },
    note,
  },
  additionalProperties: false,
  description:
    'The rule of a field or component: a usage (R, RE, O, X, …), or any of usage, when, min, max, length, datatype, fixed, codes, pattern, name, note.',
} as const;

export const profileSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Hilum conformance profile',
  description: 'A site’s rules over a version of HL7 v2; docs/profiles.md explains them.',
  type: 'object',
  required: ['profile'],
  additionalProperties: false,
  properties: {
    profile: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      description: 'The name of the profile: letters, digits, dash, dot, underscore.',
    },
    title: { ...text, description: 'What it is, for people.' },
    note,
    version: {
      ...scalar,
      description: 'The HL7 version that it is laid over, such as 2.5.1.',
    },
    messages: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        pattern: '^[A-Z][A-Z0-9]{2}\\^[A-Z0-9]{3}$',
        description: 'A message type and event, such as ORU^R01.',
      },
      description: 'The messages that it is for, such as [ORU^R01]; others are not checked by it.',
    },
    extends: {
      ...text,
      description: 'The profile that this one changes: its name, or a file beside this one.',
    },
    segments: {
      type: 'object',
      additionalProperties: item,
      description: 'Rules of segments and groups, by name or by place.',
    },
    fields: {
      type: 'object',
      additionalProperties: element,
      description: 'Rules of fields and components, such as PID-3, PID-3.1, OBSERVATION.OBX-5.',
    },
    datatypes: {
      type: 'object',
      additionalProperties: element,
      description: 'Rules of the components of a datatype wherever it is used, such as CX.4.',
    },
    valueSets: {
      type: 'object',
      additionalProperties: codes,
      description: 'Lists of codes with a name, for `codes`.',
    },
  },
} as const;
