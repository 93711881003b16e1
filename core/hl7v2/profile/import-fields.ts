import type { Issue } from '../../issue.ts';
import type {
  ElementDefinition,
  FieldDefinition,
  VersionDefinitions,
} from '../definitions/definitions.ts';
import type { ElementRule } from './profile.ts';
import type { XmlElement } from './read-xml.ts';

/** A segment of the XML, and the key of its place: `OBX`, `SPECIMEN.OBX`. */
export interface ImportedPlace {
  readonly element: XmlElement;
  readonly name: string;
  readonly key: string;
}

/** What the XML says that a profile cannot, each kind once with the places that it concerns. */
export class ImportLosses {
  private readonly places = new Map<string, Set<string>>();
  private readonly omitted = new Map<string, number>();

  /** A rule is lost. */
  add(what: string, place: string): void {
    const places = this.places.get(what) ?? new Set();
    this.places.set(what, places.add(place));
  }

  /** An element that is no rule: text for people and examples are counted, anything else is a loss. */
  see({ name }: XmlElement): void {
    if (!forPeople.has(name)) this.add(`the element ${name} is not known and not imported`, name);
    else if (!silent.has(name)) this.omitted.set(name, (this.omitted.get(name) ?? 0) + 1);
  }

  /** Attributes that nobody reads. */
  check({ name, attributes }: XmlElement): void {
    for (const key of Object.keys(attributes)) {
      if (!knownAttributes.has(key)) {
        this.add(`the attribute ${key} of ${name} is not known and not imported`, name);
      }
    }
  }

  toIssues(): readonly Issue[] {
    const lost = [...this.places].map(([what, places]): Issue => {
      const some = [...places].slice(0, 10).join(', ');
      const more = places.size > 10 ? ` and ${places.size - 10} more` : '';
      return {
        code: 'profile-import-incomplete',
        severity: 'warning',
        message: `${some}${more}: ${what}`,
      };
    });
    const omitted = [...this.omitted].map(([name, count]): Issue => ({
      code: 'profile-import-omitted',
      severity: 'information',
      message: `${name}: ${count} of them are left out; they are no rules`,
    }));
    return [...lost, ...omitted];
  }
}

const forPeople = new Set('MetaData Description Reference DataValues ImpNote Predicate'.split(' '));
/** Taken along, or said elsewhere. */
const silent = new Set(['MetaData', 'ImpNote', 'Predicate']);
const knownAttributes = new Set(
  'Name LongName Usage Min Max Datatype Length Table ConstantValue ItemNo'.split(' '),
);

/** The rules of fields and components, where they differ from the version's. */
export function importFields(
  places: readonly ImportedPlace[],
  definitions: VersionDefinitions,
  losses: ImportLosses,
): Readonly<Record<string, ElementRule>> {
  const rules: Record<string, ElementRule> = {};
  for (const [name, own] of Map.groupBy(places, (place) => place.name)) {
    const read = own.map((place) => ({
      place,
      own: readSegment(place, definitions, losses),
    }));
    const kinds = new Set(read.map((each) => JSON.stringify(each.own)));
    for (const each of kinds.size === 1 ? read.slice(0, 1) : read) {
      const key = kinds.size === 1 ? name : each.place.key;
      for (const [position, rule] of each.own) rules[`${key}-${position}`] = rule;
    }
  }
  return rules;
}

/** Position (`3`, `3.1`) and rule. */
type PositionRules = (readonly [string, ElementRule])[];

interface Importing {
  readonly definitions: VersionDefinitions;
  readonly losses: ImportLosses;
  readonly place: string;
}

/** More than any segment has. */
const maxFields = 500;

function readSegment(
  { element, name, key }: ImportedPlace,
  definitions: VersionDefinitions,
  losses: ImportLosses,
): PositionRules {
  const known = definitions.findSegment(name)?.fields ?? [];
  const rules: PositionRules = [];
  let position = 0;
  for (const child of element.children) {
    if (child.name !== 'Field') {
      losses.see(child);
      continue;
    }
    position++;
    if (position > maxFields) {
      losses.add(`fields beyond the ${maxFields}th are not imported`, key);
      break;
    }
    const context = { definitions, losses, place: `${key}-${position}` };
    readElement(child, known[position - 1], { position: String(position), rules, context });
  }
  return rules;
}

function readElement(
  element: XmlElement,
  known: ElementDefinition | FieldDefinition | undefined,
  into: {
    readonly position: string;
    readonly rules: PositionRules;
    readonly context: Importing;
  },
): void {
  const { position, rules, context } = into;
  const { losses, definitions } = context;
  losses.check(element);
  const rule = toRule(element, known, context);
  if (Object.keys(rule).length > 0) rules.push([position, rule]);
  const datatype = rule.datatype ?? known?.datatype ?? '';
  const parts = definitions.findDatatype(datatype)?.components ?? [];
  let at = 0;
  for (const child of element.children) {
    if (child.name !== 'Component' && child.name !== 'SubComponent') {
      losses.see(child);
      continue;
    }
    at++;
    if (rule.usage === 'X') continue;
    readElement(child, parts[at - 1], {
      position: `${position}.${at}`,
      rules,
      context: { ...context, place: `${context.place}.${at}` },
    });
  }
}

function toRule(
  element: XmlElement,
  known: ElementDefinition | FieldDefinition | undefined,
  context: Importing,
): ElementRule {
  const { attributes } = element;
  const usage = toUsage(attributes['Usage'] ?? '', context);
  const note = toNote(element, context);
  const datatype = toDatatype(attributes['Datatype'] ?? '', known, context);
  const isSaid = usage === undefined || usage === known?.usage;
  const about = {
    ...(known === undefined && attributes['Name'] ? { name: attributes['Name'] } : {}),
    ...(isSaid ? {} : { usage }),
    ...datatype,
    ...(note === '' ? {} : { note }),
  };
  if (usage === 'X') return about;
  return {
    ...about,
    ...toCardinality(element, known),
    ...toLength(attributes['Length'] ?? '', known),
    ...toCodes(attributes['Table'] ?? '', known, context),
    ...toFixed(attributes['ConstantValue'] ?? '', context),
  };
}

function toUsage(usage: string, { losses, place }: Importing): string | undefined {
  if (/^(?:R|RE|O|X|B|W)$/.test(usage)) return usage;
  if (usage === 'C' || usage === 'CE') {
    losses.add('the condition is text; usage became C, which is not checked', place);
    return 'C';
  }
  if (usage !== '') losses.add(`usage "${usage}" is not imported`, place);
  return undefined;
}

function toNote(element: XmlElement, { losses, place }: Importing): string {
  const find = (name: string): string =>
    (element.children.find((child) => child.name === name)?.text ?? '').replaceAll(/\s+/g, ' ');
  const predicate = find('Predicate');
  if (predicate !== '' && !/^CE?$/.test(element.attributes['Usage'] ?? '')) {
    losses.add('a condition stands at a usage that is not C', place);
  }
  const parts = [find('ImpNote'), predicate === '' ? '' : `Condition, not checked: ${predicate}`];
  return parts.filter((part) => part !== '').join(' ');
}

function toDatatype(
  written: string,
  known: ElementDefinition | undefined,
  { definitions, losses, place }: Importing,
): Pick<ElementRule, 'datatype'> {
  const datatype = /^(?:varies|\*)$/i.test(written) ? 'varies' : written;
  const isSame = datatype === known?.datatype || known?.datatype.startsWith(`${datatype}_`);
  if (datatype === '' || isSame === true) {
    return known === undefined ? { datatype: 'varies' } : {};
  }
  const isKnown = primitives.has(datatype) || definitions.findDatatype(datatype) !== undefined;
  if (isKnown) return { datatype };
  losses.add(`the version does not have its datatype ${datatype}`, place);
  return known === undefined ? { datatype: 'varies' } : {};
}

const primitives = new Set('varies ST TX FT ID IS NM SI DT TM DTM TN TS'.split(' '));

function toCardinality(
  { name, attributes }: XmlElement,
  known: ElementDefinition | FieldDefinition | undefined,
): Pick<ElementRule, 'min' | 'max'> {
  if (name !== 'Field') return {};
  const { Min: min = '', Max: max = '' } = attributes;
  const limit = known !== undefined && 'max' in known ? known.max : Infinity;
  const most = limit === Infinity ? '*' : String(limit);
  return {
    ...(/^\d{1,5}$/.test(min) && Number(min) > 1 ? { min } : {}),
    ...(/^(?:[1-9]\d{0,4}|\*)$/.test(max) && max !== most ? { max } : {}),
  };
}

function toLength(
  length: string,
  known: ElementDefinition | undefined,
): Pick<ElementRule, 'length'> {
  const number = Number(length);
  const isLimit = /^\d{1,6}$/.test(length) && number > 0 && number < 65_536;
  return isLimit && number !== known?.maxLength ? { length: `..${number}` } : {};
}

function toCodes(
  written: string,
  known: ElementDefinition | undefined,
  { definitions, losses, place }: Importing,
): Pick<ElementRule, 'codes'> {
  const digits = written.replace(/^HL7/i, '');
  if (digits === '') return {};
  const id = /^\d{1,4}$/.test(digits) ? digits.padStart(4, '0') : undefined;
  if (id !== undefined && id === known?.table) return {};
  const codes = id === undefined ? undefined : definitions.findTable(id)?.codes;
  if (id === undefined || codes === undefined || codes.size === 0) {
    losses.add(
      `the codes of table ${written} are not in the version; list them under codes`,
      place,
    );
    return {};
  }
  return { codes: { table: id } };
}

function toFixed(constant: string, { losses, place }: Importing): Pick<ElementRule, 'fixed'> {
  if (constant === '') return {};
  if (!/^MSH-[12]$/.test(place)) return { fixed: constant };
  losses.add('delimiters are not fixed', place);
  return {};
}
