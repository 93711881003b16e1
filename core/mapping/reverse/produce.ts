import type { RuleDocument } from '../document.ts';
import type { Table } from '../tables.ts';
import { isPlainObject } from '../target.ts';
import { toConcept } from './concept.ts';
import { type Place, descend, formatPlace } from './draft.ts';
import { type Given, inverses, wholes } from './inverses.ts';
import { type Node, readItems, toLeafText } from './node.ts';
import type { Spot } from './place.ts';
import type { ReverseFrame } from './run.ts';
import { findOwn } from '../../own.ts';

/**
 * What became of a rule: it wrote, had nothing to do, cannot be what made the element, or would have to change
 * what another rule wrote.
 */
export type Outcome = 'done' | 'none' | 'failed' | 'conflict';

/** Reads from an element and writes into the segment of the frame. */
export type Unit = (frame: ReverseFrame, node: Node) => Outcome;

/** A segment or datatype map, to be run the way back. Its units are filled in once all maps are known. */
export interface ReverseMap {
  readonly id: string;
  /** A segment's name; '' for a datatype. */
  readonly segment: string;
  units: readonly Unit[];
}

/** Writes what an element says to a spot; without one, to wherever the map that makes it does. */
export type Producer = (frame: ReverseFrame, spot: Spot | undefined, node: Node) => Outcome;

export interface ProduceContext {
  readonly name: string;
  readonly maps: ReadonlyMap<string, ReverseMap>;
  readonly tables: ReadonlyMap<string, Table>;
}

/** What a rule does with an element, the way back; a text says why there is no way back. */
export function compileProducer(
  document: RuleDocument,
  context: ProduceContext,
): Producer | string {
  const { via, fn, table, resource } = document;
  const codes = table === undefined ? undefined : context.tables.get(table);
  if (table !== undefined && codes === undefined) return `there is no table ${table}`;
  if (via !== undefined) {
    const map = context.maps.get(via);
    if (map === undefined) return `there is no map ${via}`;
    if (resource !== undefined) return toResource(map, resource, context.name);
    return codes === undefined ? toPart(map) : toTranslatedPart(map, codes, document);
  }
  if (codes !== undefined) return toCode(codes, document, context);
  const call = findOwn(inverses, fn ?? 'text');
  if (call === undefined) return `the function ${fn ?? ''} has no inverse`;
  return (frame, spot, node) => {
    const text = toLeafText(node) ?? (wholes.has(fn ?? '') ? '' : undefined);
    if (text === undefined || spot === undefined) return 'none';
    const given = call(text.trim(), node, frame.run);
    if (given === undefined) {
      frame.run.report({
        code: 'value-not-convertible',
        severity: 'warning',
        location: node.path,
        message: `The value cannot be written as HL7 v2 writes it (${fn ?? 'text'}); it was left out. Correct it at its source.`,
      });
      return 'none';
    }
    return writeGiven({ frame, spot, node, rule: context.name }, given ?? []);
  };
}

interface Writing {
  readonly frame: ReverseFrame;
  readonly spot: Spot;
  readonly node: Node;
  readonly rule: string;
}

/** Texts for a spot, for components below it or for repetitions from it on; all of them or none. */
export function writeGiven(writing: Writing, given: Given): Outcome {
  const { frame, spot, node, rule } = writing;
  const { run } = frame;
  const mark = run.mark();
  for (const [place, text] of toPlaces(spot.place, given)) {
    const result = place === undefined ? 'differs' : run.write(frame, place, text);
    if (result === 'differs' && isSaid(frame, spot.place, given)) break;
    if (result === 'differs' && !(place && isLessPrecise(frame, place, text))) {
      run.rollback(mark);
      return frame.agreeOnly ? 'conflict' : 'none';
    }
    if (place) run.trace(frame, place, { source: node.path, rule });
  }
  run.consume(frame, node);
  return 'done';
}

function toPlaces(
  place: Place,
  given: Given,
): readonly (readonly [place: Place | undefined, text: string])[] {
  if (typeof given === 'string') return [[place, given]];
  if ('repetitions' in given) {
    return given.repetitions.map((text, index) => [
      { ...place, repetition: place.repetition + index },
      text,
    ]);
  }
  return given.map(([position, text]) => [descend(place, position), text]);
}

/** Whether the name or number of an authority stands there already, in whichever of its components. */
function isSaid({ segment }: ReverseFrame, place: Place, given: Given): boolean {
  if (typeof given === 'string' || 'repetitions' in given) return false;
  const [, main] = given[0] ?? [0, ''];
  return [...segment.below(place)].some(([, text]) => text === main);
}

/** A day beside its own time says nothing more. */
function isLessPrecise({ segment }: ReverseFrame, place: Place, text: string): boolean {
  return /^\d{4,8}$/.test(text) && segment.get(place).startsWith(text);
}

/** A part that another map makes: everything in the element goes to places below the spot. */
function toPart(map: ReverseMap): Producer {
  return (frame, spot, node) => applyMap(map, enter(frame, spot), node);
}

/** What stands at the spot already may be completed, and not be changed. */
function enter(frame: ReverseFrame, spot: Spot | undefined): ReverseFrame {
  const { base, segment } = frame;
  if (spot === undefined) {
    return base !== undefined && segment.has(base) ? { ...frame, agreeOnly: true } : frame;
  }
  const { place } = spot;
  return { ...frame, base: place, agreeOnly: frame.agreeOnly || segment.has(place) };
}

/** All rules of a map over an element, which one of them may find not to be of its making. */
function applyMap(map: ReverseMap, frame: ReverseFrame, node: Node): Outcome {
  let outcome: Outcome = 'none';
  const mark = frame.run.mark();
  for (const unit of map.units) {
    const one = unit(frame, node);
    if (one === 'failed' || one === 'conflict') {
      frame.run.rollback(mark);
      return one;
    }
    if (one === 'done') outcome = 'done';
  }
  return outcome;
}

function toResource(map: ReverseMap, type: string, rule: string): Producer {
  return (frame, spot, node) => {
    const found = resolve(frame, node, type);
    if (found === undefined) {
      if (isPlainObject(node.value) && typeof node.value['reference'] === 'string') {
        frame.run.report({
          code: 'reference-unresolved',
          severity: 'warning',
          location: node.path,
          message: `Expected a ${type} in the Bundle for this reference, found none (${rule}); it was left out. Put the resource into the Bundle.`,
        });
      }
      return 'none';
    }
    if (found === 'other') return 'none';
    const inner = { ...enter(frame, spot), taken: new Set<string>() };
    const before = frame.run.score;
    const outcome = applyMap(map, inner, found.node);
    // What is seen through a role is not what was referred to: a map of the role itself comes before.
    if (found.isOfRole) frame.run.recount(before);
    if (outcome === 'done') frame.run.consume(frame, node);
    return outcome;
  };
}

interface Resolved {
  readonly node: Node;
  /** Whether a role was referred to, and this is who has it. */
  readonly isOfRole: boolean;
}

/** The resource of a reference; of a role, who has it. `other` where it is of another type. */
function resolve(frame: ReverseFrame, node: Node, type: string): Resolved | 'other' | undefined {
  const found = frame.run.input.resolve(node);
  const known = isPlainObject(found?.value) ? found.value['resourceType'] : undefined;
  if (found === undefined) return undefined;
  if (known === type) return { node: found, isOfRole: false };
  if (known !== 'PractitionerRole') return 'other';
  const [inner] = readItems(found, type.toLowerCase());
  const resolved = inner && frame.run.input.resolve(inner);
  if (inner === undefined || resolved === undefined) return 'other';
  frame.run.consume({ taken: new Set() }, inner);
  return { node: resolved, isOfRole: true };
}

function toCode(table: Table, document: RuleDocument, context: ProduceContext): Producer {
  return (frame, spot, node) => {
    const code = toLeafText(node)?.trim();
    if (code === undefined || spot === undefined) return 'none';
    const found = table.findSource(code);
    const policy = document.onUnmapped ?? table.policy;
    const text = found ?? (policy === 'keep' ? code : undefined);
    const writing = { frame, spot, node, rule: context.name };
    if (text !== undefined) return writeGiven(writing, text);
    // What FHIR makes of a code that it does not know says nothing.
    if (code === 'unknown' || table.isFixed(code)) return writeGiven(writing, []);
    const location = formatPlace(spot.segment, spot.place);
    if (policy === 'hold') {
      const [map = '', rule = ''] = context.name.split('#');
      frame.run.hold({ table: table.id, code, map, rule, location });
    } else {
      frame.run.report({
        code: 'code-unmapped',
        severity: policy === 'error' ? 'error' : 'warning',
        location: node.path,
        message: `Table ${table.id} has no code that becomes this one, for ${location}; it was left out. Add the code to the table.`,
      });
    }
    return 'none';
  };
}

/** A coding whose code a table has translated: what it was goes back, without the system that the table gave it. */
function toTranslatedPart(map: ReverseMap, table: Table, document: RuleDocument): Producer {
  return (frame, spot, node) => {
    const concept = toConcept(node, table);
    if (concept === 'unmapped') {
      if ((document.onUnmapped ?? table.policy) === 'keep') return toPart(map)(frame, spot, node);
      frame.run.report({
        code: 'code-unmapped',
        severity: 'warning',
        location: node.path,
        message: `Table ${table.id} has no code that becomes this one; it was left out. Add the code to the table.`,
      });
      return 'none';
    }
    if (concept === node) return toPart(map)(frame, spot, node);
    const before = frame.run.score;
    const outcome = applyMap(map, { ...enter(frame, spot), taken: new Set() }, concept);
    // What counts is how much of the element it takes, not of what the element was before.
    frame.run.recount(before);
    if (outcome === 'done') frame.run.consume(frame, node);
    return outcome;
  };
}
