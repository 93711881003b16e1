import type { RuleDocument } from '../document.ts';
import { type SourcePath, parseSourcePath } from '../path.ts';
import { type Place, descend } from './draft.ts';
import { type ElementCondition, parseElementCondition } from './element-condition.ts';
import { type Node, parseElementPath, readElements, toLeafText } from './node.ts';
import { isValued, toSpot } from './place.ts';
import {
  type Outcome,
  type ProduceContext,
  type Unit,
  compileProducer,
  writeGiven,
} from './produce.ts';
import { type ReverseFrame, hasRest } from './run.ts';

/** What a declared rule may refer to, and where its problems go. */
export interface DeclaredContext extends ProduceContext {
  readonly report: (message: string) => void;
  /** Whether it stands in a map of a datatype, whose values have the fields of a segment in common. */
  readonly isDatatype?: boolean;
}

/** Compiles a rule of the way back (`dir: toV2`): `from` is a path in FHIR or a field to copy, `to` one in HL7 v2. */
export function compileDeclared(rule: RuleDocument, context: DeclaredContext): Unit | undefined {
  const when = compileWhen(rule.when, context);
  const ifNone =
    rule.ifNone === undefined ? undefined : parseTarget(rule.ifNone, 'ifNone', context);
  const unit = compileWrite(rule, context);
  if (unit === undefined) return undefined;
  const isShared = context.isDatatype === true && /^[A-Z]/.test(rule.to ?? '');
  return (frame, node) => {
    if (ifNone !== undefined && isValued(ifNone, frame)) return 'none';
    if (when !== undefined && rule.resource === undefined && !when(frame, node)) return 'none';
    const mark = frame.run.mark();
    const outcome = unit(frame, node);
    if (outcome === 'done') frame.run.fire(context.name);
    else frame.run.rollback(mark);
    if (isShared && outcome === 'conflict') return 'failed';
    return outcome === 'failed' || (outcome === 'conflict' && !frame.agreeOnly) ? 'none' : outcome;
  };
}

function compileWrite(rule: RuleDocument, context: DeclaredContext): Unit | undefined {
  const copied = rule.from === undefined ? undefined : parseSourcePath(rule.from);
  if (copied?.segment !== undefined) {
    const to = parseTarget(rule.to, 'to', context);
    return to && toCopy(copied, to, context.name);
  }
  const steps = parseElementPath(rule.from ?? '$this');
  if (steps === undefined) {
    context.report(
      `from: ${rule.from ?? ''} is no path such as name[0].family, nor a field such as ORC-2`,
    );
    return undefined;
  }
  const why = rule.ignore;
  if (why !== undefined) {
    return (frame, node) => {
      const left = readElements(node, steps).filter((found) => hasRest(frame, found));
      for (const found of left) frame.run.ignore(frame, found, { rule: context.name, why });
      return left.length === 0 ? 'none' : 'done';
    };
  }
  const to = parseTarget(rule.to, 'to', context);
  const also = Object.entries(rule.also ?? {}).map(([path, value]) => {
    const place = parseTarget(path, 'also', context);
    return [place, typeof value === 'string' ? value : String(value)] as const;
  });
  if (to === undefined) return undefined;
  const write = 'const' in rule ? toConstant(rule, to, context.name) : toValues(rule, to, context);
  if (write === undefined) return undefined;
  return (frame, node) => {
    const found = rule.from === undefined ? [node] : readElements(node, steps);
    const outcome = write(frame, found);
    if (outcome !== 'done') return outcome;
    const isWritten = also.every(([path, text]) => {
      const spot = path && toSpot(path, frame);
      return spot !== undefined && frame.run.write(frame, spot.place, text) !== 'differs';
    });
    return isWritten ? 'done' : 'failed';
  };
}

type Write = (frame: ReverseFrame, found: readonly Node[]) => Outcome;

/** With a `from` only where that is valued, which it then takes. */
function toConstant(rule: RuleDocument, to: SourcePath, name: string): Write {
  const text = String(rule.const);
  return (frame, [node]) => {
    const spot = toSpot(to, frame);
    if (node === undefined || spot === undefined) return 'none';
    const isTaking = rule.from !== undefined;
    const source = isTaking ? node : { ...node, value: undefined };
    return writeGiven({ frame, spot, node: source, rule: name }, text);
  };
}

function toValues(rule: RuleDocument, to: SourcePath, context: DeclaredContext): Write | undefined {
  const produce = compileProducer(rule, context);
  if (typeof produce === 'string') {
    context.report(produce);
    return undefined;
  }
  const { join } = rule;
  const when = rule.resource === undefined ? undefined : compileWhen(rule.when, context);
  return (frame, found) => {
    let outcome: Outcome = 'none';
    for (const node of join === undefined ? found : joinTexts(found, join)) {
      const isTaken = frame.taken.has(`claim:${node.path}`) || !hasRest(frame, node);
      if (typeof node.value === 'object' && isTaken) continue;
      if (when !== undefined && !isMatching(frame, node, when)) continue;
      const spot = toSpot(to, frame);
      const one = spot === undefined ? 'none' : produce(frame, spot, node);
      if (one === 'done' || (one === 'conflict' && outcome === 'none')) outcome = one;
    }
    if (outcome === 'done' && join !== undefined) {
      for (const node of found) frame.run.consume(frame, node);
    }
    return outcome;
  };
}

/** The condition of a rule that follows a reference is about what it leads to. */
function isMatching(frame: ReverseFrame, node: Node, when: ElementCondition): boolean {
  const found = frame.run.input.resolve(node);
  return found !== undefined && when(frame, found);
}

function joinTexts(nodes: readonly Node[], mark: string): readonly Node[] {
  const [first] = nodes;
  const texts = nodes.flatMap((node) => toLeafText(node) ?? []);
  return first === undefined || texts.length === 0 ? [] : [{ ...first, value: texts.join(mark) }];
}

/** A field of the message that is being made, copied with all its parts to where nothing stands. */
function toCopy(from: SourcePath, to: SourcePath, rule: string): Unit {
  const single: SourcePath = from.repetition === 'all' ? { ...from, repetition: 1 } : from;
  return (frame) => {
    const source = toSpot(single, frame);
    const target = toSpot(to, frame);
    if (source === undefined || target?.segment !== frame.segment) return 'none';
    if (frame.segment.has(target.place)) return 'none';
    const values = [...source.segment.below(source.place)];
    for (const [found, text] of values) {
      const place = toRelative(source.place, found).reduce<Place | undefined>(
        (at, position) => at && descend(at, position),
        target.place,
      );
      if (place === undefined || frame.run.write(frame, place, text) === 'differs') return 'failed';
      frame.run.trace(frame, place, { source: `${source.segment.name}-${from.field}`, rule });
    }
    return values.length === 0 ? 'none' : 'done';
  };
}

/** The levels below the place that was copied. */
function toRelative(place: Place, { component, subcomponent }: Place): readonly number[] {
  if (place.component === 0) return [component, subcomponent];
  return place.subcomponent === 0 ? [subcomponent] : [];
}

function compileWhen(
  text: string | undefined,
  { report }: DeclaredContext,
): ElementCondition | undefined {
  if (text === undefined) return undefined;
  const parsed = parseElementCondition(text);
  if (parsed.ok) return parsed.condition;
  report(`when: ${parsed.message}, in: ${text}`);
  return undefined;
}

/** `[+]` and `[*]` are both the next repetition: what was added may be written either way. */
function parseTarget(
  text: string | undefined,
  word: string,
  { report }: DeclaredContext,
): SourcePath | undefined {
  const path = parseSourcePath((text ?? '').replace('[+]', '[*]'));
  if (path === undefined)
    report(
      `${word}: ${text ?? ''} is no field such as PID-3[+] or OBX-5, nor a component such as 4.2`,
    );
  return path;
}
