import type {
  FieldDefinition,
  SegmentDefinition,
  VersionDefinitions,
} from '../definitions/definitions.ts';
import { buildDatatypeCheck, buildElementCheck, type ElementCheck } from './element-check.ts';

/** A field's rules, prepared. */
export interface FieldCheck {
  readonly element: ElementCheck;
  /** The fewest and the most repetitions. */
  readonly min: number;
  readonly max: number;
  /** Whether its absence has to be looked at. */
  readonly isExpected: boolean;
}

/** A segment's rules, prepared. */
export interface SegmentCheck {
  readonly fields: readonly FieldCheck[];
  /** Positions of the fields whose absence has to be looked at. */
  readonly expected: readonly number[];
  /** Whether fields beyond the last may come: those of a query's own parameters. */
  readonly isOpenEnded: boolean;
}

/** One version's rules, each prepared when it is first needed. */
export class VersionChecks {
  readonly definitions: VersionDefinitions;
  private readonly segments = new Map<string, SegmentCheck | undefined>();
  private readonly datatypes = new Map<string, ElementCheck | undefined>();
  private readonly places = new WeakMap<SegmentDefinition, SegmentCheck>();

  constructor(definitions: VersionDefinitions) {
    this.definitions = definitions;
  }

  /** By its name, or by the rules of its place in the structure. Undefined where the version does not have it. */
  findSegment(name: string, definition: SegmentDefinition | undefined): SegmentCheck | undefined {
    if (definition !== undefined) return this.findPlace(definition);
    const known = this.segments.get(name);
    if (known !== undefined || this.segments.has(name)) return known;
    const found = this.definitions.findSegment(name);
    const check = found === undefined ? undefined : buildSegmentCheck(found, this.definitions);
    // Names that are made up must not pile up.
    if (check !== undefined || this.segments.size < 1_000) this.segments.set(name, check);
    return check;
  }

  /** The rules of a value of that datatype; undefined where the version does not have it. */
  findDatatype(name: string): ElementCheck | undefined {
    const known = this.datatypes.get(name);
    if (known !== undefined || this.datatypes.has(name)) return known;
    const check = buildDatatypeCheck(name, this.definitions);
    if (check !== undefined || this.datatypes.size < 1_000) this.datatypes.set(name, check);
    return check;
  }

  private findPlace(definition: SegmentDefinition): SegmentCheck {
    let check = this.places.get(definition);
    if (check === undefined) {
      check = buildSegmentCheck(definition, this.definitions);
      this.places.set(definition, check);
    }
    return check;
  }
}

/** The prepared rules of definitions; always the same for the same ones. */
export function findChecks(definitions: VersionDefinitions): VersionChecks {
  let checks = cache.get(definitions);
  if (checks === undefined) {
    checks = new VersionChecks(definitions);
    cache.set(definitions, checks);
  }
  return checks;
}

const cache = new WeakMap<VersionDefinitions, VersionChecks>();

function buildSegmentCheck(
  { name, fields: definitions }: SegmentDefinition,
  version: VersionDefinitions,
): SegmentCheck {
  const fields = definitions.map((definition, index): FieldCheck => {
    const corrected = correct(definition, `${name}-${index + 1}`, version.version);
    const element = buildElementCheck(corrected, version);
    const { min, max } = corrected;
    const isExpected =
      element.usage === 'R' || element.usage === 'RE' || element.condition !== undefined;
    return { element, min, max, isExpected };
  });
  return {
    fields,
    expected: fields.flatMap((field, index) => (field.isExpected ? [index + 1] : [])),
    isOpenEnded: name === 'QPD' || name === 'RDT' || fields.at(-1)?.element.datatype === 'varies',
  };
}

/** Fields that one version calls required and its neighbours do not: its chapters contradict one another. */
const disputed: ReadonlySet<string> = new Set([
  '2.3 OBR-27',
  '2.3 ORC-1',
  '2.3 ORC-7',
  '2.3.1 OBX-4',
]);

/** Fields with rules of their own (header.ts, observation.ts, the parser): here only whether they are there. */
const judgedElsewhere: ReadonlySet<string> = new Set(['MSH-9', 'MSH-18', 'OBX-2']);

/** Fields of which the version's list describes the first of many. */
const openEnded: ReadonlySet<string> = new Set(['QPD-3', 'RDT-1']);

const reserved: ReadonlySet<string> = new Set(['OBX-20', 'OBX-21', 'OBX-22']);

/** What a version's list says of a field, where it can be held against a message. */
function correct(definition: FieldDefinition, place: string, version: string): FieldDefinition {
  if (judgedElsewhere.has(place)) {
    const { table, maxLength, minLength, conformanceLength, ...rest } = definition;
    const opaque = { ...rest, datatype: 'varies' };
    // What a profile says holds; what the list says is known better.
    if (definition.isAgreed === true) return opaque;
    if (place === 'MSH-18') return { ...opaque, max: Infinity };
    // Whether OBX-2 has to be there depends on OBX-5 in every version.
    return place === 'OBX-2' ? { ...opaque, usage: 'C' } : opaque;
  }
  if (definition.isAgreed === true) return definition;
  // Each parameter of a query and each column of a table repeats as its own definition has it.
  if (openEnded.has(place)) return { ...definition, max: Infinity, maxLength: Infinity };
  // 2.5.1 has a name for nothing there but that 2.6 will use it: what later versions have does no harm.
  if (version === '2.5.1' && reserved.has(place)) return { ...definition, usage: 'W' };
  return disputed.has(`${version} ${place}`) ? { ...definition, usage: 'C' } : definition;
}
