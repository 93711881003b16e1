import { type RuleContext, type Step, toSourceText } from './compiled-map.ts';
import { type Condition, parseCondition } from './condition.ts';
import type { RuleDocument } from './document.ts';
import { type SourcePath, parseSourcePath, readFirst, readPath } from './path.ts';
import { type Fail, type Produce, compileProduce } from './produce.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toBit } from './source.ts';
import {
  type Draft,
  type TargetStep,
  isEmpty,
  isPlainObject,
  parseTargetPath,
  toWritten,
  writePath,
} from './target.ts';

type Work = Step['run'];

interface CompiledRule {
  readonly name: string;
  readonly path: SourcePath | undefined;
  readonly to: readonly TargetStep[];
  readonly when: Condition | undefined;
  readonly produce: Produce;
  readonly document: RuleDocument;
  readonly also: readonly (readonly [readonly TargetStep[], unknown])[];
}

/** Compiles a rule to a closure; undefined where it has problems, all of which are reported. */
export function compileRule(document: RuleDocument, context: RuleContext): Step | undefined {
  const problems: string[] = [];
  const fail: Fail = (message) => {
    problems.push(message);
    context.report(message);
  };
  const path = document.from === undefined ? undefined : parseSourcePath(document.from);
  if (document.from !== undefined && path === undefined) {
    fail(`from: ${document.from} is no path such as PID-3[*], PID-5.1 or 4.2`);
  }
  const when = compileWhen(document.when, fail);
  const needs = findNeeds(path, context);
  if (document.ignore !== undefined) {
    return problems.length === 0 && path !== undefined
      ? { ...needs, run: toIgnore(path, when, `${context.mapId}#${document.id}`) }
      : undefined;
  }
  const to = parseTarget(document.to ?? '', fail);
  const also = Object.entries(document.also ?? {}).map(
    ([target, value]) => [parseTarget(target, fail), value] as const,
  );
  const produce = compileProduce(document, context, fail);
  if (problems.length > 0 || produce === undefined) return undefined;
  const name = `${context.mapId}#${document.id}`;
  return { ...needs, run: toWork({ name, path, to, when, produce, document, also }) };
}

/** What has to have content for the rule to do anything: most fields of most messages have none. */
function findNeeds(
  path: SourcePath | undefined,
  { mapId, maps }: RuleContext,
): Pick<Step, 'field' | 'part'> {
  if (path === undefined) return { field: 0, part: 0 };
  const { segment, field, children } = path;
  if (segment === undefined) return { field: 0, part: toBit(children[0] ?? 0) };
  return { field: segment === maps.get(mapId)?.source ? field : 0, part: 0 };
}

/** Compiles a `when`; no condition is always true. */
export function compileWhen(
  text: string | undefined,
  fail: (message: string) => void,
): Condition | undefined {
  if (text === undefined) return undefined;
  const parsed = parseCondition(text);
  if (parsed.ok) return parsed.condition;
  fail(`when: ${parsed.message}, in: ${text}`);
  return undefined;
}

function parseTarget(text: string, fail: (message: string) => void): readonly TargetStep[] {
  const steps = parseTargetPath(text);
  if (steps === undefined) fail(`to: ${text} is no path such as name[+].family`);
  return steps ?? [];
}

function toIgnore(path: SourcePath, when: Condition | undefined, name: string): Work {
  return (frame) => {
    if (when !== undefined && !when(frame)) return;
    const isField = path.children.length === 0 && path.segment !== undefined;
    for (const source of readPath(path, frame)) {
      if (source.valued) frame.run.onRule?.(name);
      if (isField) frame.run.fields(source.segment).take(path.field);
      else source.isTaken = true;
    }
  };
}

function toWork(rule: CompiledRule): Work {
  const { path, when, produce } = rule;
  const { ifNone, join } = rule.document;
  return (frame, into) => {
    if (ifNone !== undefined && hasElement(into, ifNone)) return;
    if (when !== undefined && !when(frame)) return;
    if (path === undefined) {
      write(rule, frame, into, undefined, produce);
      return;
    }
    if (join !== undefined) {
      writeJoined(rule, frame, into, readPath(path, frame));
      return;
    }
    if (path.repetition === 'all') {
      for (const source of readPath(path, frame)) {
        if (source.valued) write(rule, frame, into, source, produce);
      }
      return;
    }
    const source = readFirst(path, frame);
    if (source?.valued === true) write(rule, frame, into, source, produce);
  };
}

function writeJoined(
  rule: CompiledRule,
  frame: Frame,
  into: Draft,
  sources: readonly SourceValue[],
): void {
  const texts: string[] = [];
  for (const source of sources) {
    const text = source.valued ? rule.produce(frame, source) : undefined;
    if (typeof text === 'string') texts.push(text);
  }
  const [first] = sources;
  if (texts.length === 0 || first === undefined) return;
  write(rule, frame, into, first, () => texts.join(rule.document.join));
}

function write(
  rule: CompiledRule,
  frame: Frame,
  into: Draft,
  source: SourceValue | undefined,
  produce: Produce,
): void {
  const { trace } = frame.run;
  const start = trace?.length ?? 0;
  const value = produce(frame, source);
  if (value === undefined || (isPlainObject(value) && isEmpty(value))) {
    // What inner rules made of a code that was left out is made of nothing.
    if (trace !== undefined) trace.length = start;
    return;
  }
  writePath(into, rule.to, value);
  frame.run.onRule?.(rule.name);
  if (trace !== undefined) {
    const target = toWritten(into, rule.to);
    const inner = trace.length > start;
    for (let i = start; i < trace.length; i++) {
      const entry = trace[i];
      if (entry === undefined || target === '') continue;
      entry.target = entry.target === '' ? target : `${target}.${entry.target}`;
    }
    if (!inner) trace.push({ target, source: toSourceText(frame, source), rule: rule.name });
  }
  for (const [steps, constant] of rule.also) {
    writePath(into, steps, constant);
    trace?.push({
      target: toWritten(into, steps),
      source: toSourceText(frame, source),
      rule: rule.name,
    });
  }
}

function hasElement(into: Draft, prefix: string): boolean {
  for (const key in into) if (key.startsWith(prefix)) return true;
  return false;
}
