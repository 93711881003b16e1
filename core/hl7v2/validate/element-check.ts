import type {
  CodeSet,
  ConditionalUsage,
  ElementDefinition,
  Usage,
  VersionDefinitions,
} from '../definitions/definitions.ts';
import { isWithin } from '../definitions/versions.ts';
import { findCodes } from './codes.ts';
import { findForm, type Form } from './forms.ts';

/** An element's rules, prepared so that a value needs no look-up and a rule that is not there no time. */
export interface ElementCheck {
  readonly datatype: string;
  readonly usage: Usage;
  readonly condition: ConditionalUsage | undefined;
  /** Undefined: it has none, or nobody knows which ({@link isOpaque}). */
  readonly components: readonly ElementCheck[] | undefined;
  /** What is in it is not looked at: `varies`, composite types of the first versions that nobody described. */
  readonly isOpaque: boolean;
  readonly form: Form | undefined;
  /** In characters; Infinity where there is no limit. */
  readonly maxLength: number;
  /** Whether the longest is meant of all components together, and binding: a profile's. */
  readonly isLengthAgreed: boolean;
  readonly minLength: number;
  /** From 2.7 on, of a primitive; Infinity where there is none. */
  readonly conformanceLength: number;
  readonly fixed: string | undefined;
  /** Of the whole value, or of the first component where the element is coded ({@link isCoded}). */
  readonly codes: CodeSet | undefined;
  readonly isCoded: boolean;
  /** `0001` where the codes are those of a table: one of another system is not compared with it. */
  readonly table: string | undefined;
  /** Whether the element itself has anything of the above, so that the good path asks once. */
  readonly hasOwnRules: boolean;
  /** Bits of the components (1 << position - 1) whose absence has to be looked at. */
  readonly expected: number;
  /** An identifier of an authority: its second and third component come together. */
  readonly isHierarchic: boolean;
}

/** In the definitions a length from here on says that there is no limit. */
const noLimit = 65_536;

/** Types with values of one part. Any other type without components is one that nobody described. */
const primitives: ReadonlySet<string> = new Set(
  'ST TX FT ID IS NM SI SNM DT TM DTM GTS TN'.split(' '),
);

/** Types whose first component is a code and whose third names its system. */
const codedTypes: ReadonlySet<string> = new Set(['CE', 'CF', 'CNE', 'CWE', 'CSU']);

/** The bits are those of a 32-bit number; no type of the standard has as many required components. */
const maxExpected = 31;

/** How deep delimiters divide: a field's repetition, its components, their sub-components. */
const deepest = 2;
/** First parts of first parts; no type of the standard goes as deep, and none is followed without end. */
const maxDepth = 6;

/** The components of a datatype, prepared; kept, since the same ones stand in many fields. */
type Known = Map<string, readonly ElementCheck[]>;
const knownComponents = new WeakMap<VersionDefinitions, Known>();

/** Prepares what is said about a field, with everything below it. */
export function buildElementCheck(
  element: ElementDefinition,
  definitions: VersionDefinitions,
): ElementCheck {
  return build(element, definitions, 0);
}

/** A field of a datatype without further rules, such as OBX-5; undefined where the version does not have it. */
export function buildDatatypeCheck(
  datatype: string,
  definitions: VersionDefinitions,
): ElementCheck | undefined {
  if (definitions.findDatatype(datatype) === undefined && !isKnown(datatype)) return undefined;
  return buildElementCheck({ name: '', datatype, usage: 'O' }, definitions);
}

function isKnown(datatype: string): boolean {
  return primitives.has(datatype) || datatype === 'TS';
}

function build(
  element: ElementDefinition,
  definitions: VersionDefinitions,
  depth: number,
): ElementCheck {
  // Nobody says any more what stands in a withdrawn element.
  if (element.usage === 'W') return withdrawn;
  const { datatype, usage, condition, fixed } = element;
  const components = buildComponents(element, definitions, depth);
  const form = components === undefined ? findForm(datatype, definitions.version) : undefined;
  const isCoded = codedTypes.has(datatype) && components !== undefined;
  const lengths = findLengths(element, definitions, findParts(element, definitions));
  const codes =
    components === undefined || isCoded || element.codes !== undefined
      ? findCodes(element, definitions)
      : undefined;
  return {
    datatype,
    usage,
    condition,
    components,
    isOpaque: components === undefined && !primitives.has(datatype),
    form,
    ...lengths,
    fixed,
    codes,
    isCoded,
    table: element.codes === undefined && codes !== undefined ? element.table : undefined,
    hasOwnRules:
      lengths.maxLength !== Infinity ||
      lengths.conformanceLength !== Infinity ||
      lengths.minLength > 0 ||
      fixed !== undefined ||
      codes !== undefined,
    expected: findExpected(datatype, components),
    isHierarchic: datatype === 'HD' && components !== undefined && components.length >= 3,
  };
}

const withdrawn: ElementCheck = {
  datatype: 'varies',
  usage: 'W',
  condition: undefined,
  components: undefined,
  isOpaque: true,
  form: undefined,
  maxLength: Infinity,
  isLengthAgreed: false,
  minLength: 0,
  conformanceLength: Infinity,
  fixed: undefined,
  codes: undefined,
  isCoded: false,
  table: undefined,
  hasOwnRules: false,
  expected: 0,
  isHierarchic: false,
};

function buildComponents(
  element: ElementDefinition,
  definitions: VersionDefinitions,
  depth: number,
): readonly ElementCheck[] | undefined {
  const { datatype, components } = element;
  if (depth >= maxDepth) return undefined;
  const buildAll = (parts: readonly ElementDefinition[]): readonly ElementCheck[] | undefined => {
    if (parts.length === 0) return undefined;
    // No delimiter divides a sub-component: what stands there is the first part of its type.
    const reachable = depth >= deepest ? parts.slice(0, 1) : parts;
    return reachable.map((part) => build(part, definitions, depth + 1));
  };
  if (components !== undefined) return buildAll(components);
  const known = knownComponents.get(definitions) ?? new Map<string, readonly ElementCheck[]>();
  knownComponents.set(definitions, known);
  const key = `${datatype} ${depth}`;
  const found = known.get(key) ?? buildAll(findParts(element, definitions));
  if (found !== undefined) known.set(key, found);
  return found;
}

function findParts(
  { datatype, components }: ElementDefinition,
  definitions: VersionDefinitions,
): readonly ElementDefinition[] {
  if (components !== undefined) return components;
  // A timestamp has a degree of precision behind it up to 2.6, also where a version's list calls it primitive.
  if (datatype === 'TS') return timestampParts;
  return definitions.findDatatype(datatype)?.components ?? [];
}

const timestampParts: readonly ElementDefinition[] = [
  { name: 'Time', datatype: 'DTM', usage: 'O' },
  { name: 'Degree of Precision', datatype: 'ID', usage: 'B' },
];

/** Before 2.7 one length; from then on a normative one and the one that receivers must be able to take. */
function findLengths(
  { maxLength = Infinity, isLengthAgreed, minLength = 0, conformanceLength }: ElementDefinition,
  { version }: VersionDefinitions,
  parts: readonly ElementDefinition[],
): Pick<ElementCheck, 'maxLength' | 'isLengthAgreed' | 'minLength' | 'conformanceLength'> {
  const isLater = isWithin(version, { from: '2.7' });
  // From 2.5 on components have lengths of their own, and those of the whole (22 for the number of an order,
  // with an authority in it; 26 for two timestamps) were never made to agree with them.
  const isMeant = isLengthAgreed === true || parts.every((part) => part.maxLength === undefined);
  return {
    maxLength: maxLength < noLimit && isMeant ? maxLength : Infinity,
    isLengthAgreed: isLengthAgreed === true,
    minLength: parts.length === 0 ? minLength : 0,
    conformanceLength: (isLater && parts.length === 0 ? conformanceLength : undefined) ?? Infinity,
  };
}

/** MSG is judged by the rules of MSH-9, which know what may be left out of it. */
function findExpected(datatype: string, components: readonly ElementCheck[] | undefined): number {
  if (components === undefined || datatype === 'MSG') return 0;
  let bits = 0;
  for (const [index, { usage, condition }] of components.slice(0, maxExpected).entries()) {
    if (usage === 'R' || usage === 'RE' || condition !== undefined) bits |= 1 << index;
  }
  return bits;
}
