import type { ConditionTree } from '../condition/parse-condition.ts';
import type { Code } from './code.ts';
import { type RuleContext, type Step, toSourceText } from './compiled-map.ts';
import { type Condition, emitCondition, parseCondition, parseConditionTree } from './condition.ts';
import type { RuleDocument } from './document.ts';
import { emitWrites } from './emit-write.ts';
import {
  type SourcePath,
  emitFilled,
  emitParts,
  emitRead,
  parseSourcePath,
  readPath,
} from './path.ts';
import { type EmitProduce, type Fail, type Produced, compileProduce } from './produce.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toBit } from './source.ts';
import {
  type Draft,
  type TargetStep,
  isPlainObject,
  parseTargetPath,
  readTarget,
  toWritten,
} from './target.ts';

interface CompiledRule {
  readonly name: string;
  readonly path: SourcePath | undefined;
  readonly to: readonly TargetStep[];
  readonly when: ConditionTree | undefined;
  readonly produce: EmitProduce;
  readonly document: RuleDocument;
  readonly also: readonly (readonly [readonly TargetStep[], unknown])[];
}

/** Compiles a rule to what writes its code; undefined where it has problems, all of which are reported. */
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
  const when = compileTree(document.when, fail);
  const part = path?.segment === undefined ? toBit(path?.children[0] ?? 0) : 0;
  const name = `${context.mapId}#${document.id}`;
  if (document.ignore !== undefined) {
    if (problems.length > 0 || path === undefined) return undefined;
    return { part, emit: (code) => emitIgnore(path, when, name, code) };
  }
  const to = parseTarget(document.to ?? '', fail);
  const also = Object.entries(document.also ?? {}).map(
    ([target, value]) => [parseTarget(target, fail), value] as const,
  );
  const produce = compileProduce(document, context, fail);
  if (problems.length > 0 || produce === undefined) return undefined;
  const rule = { name, path, to, when, produce, document, also };
  return { part, emit: (code) => emitRule(rule, code) };
}

/** Compiles a `when`; no condition is always true. */
export function compileWhen(
  text: string | undefined,
  fail: (message: string) => void,
): Condition | undefined {
  return text === undefined ? undefined : readWhen(text, parseCondition(text), fail);
}

/** As {@link compileWhen}, for code. */
export function compileTree(
  text: string | undefined,
  fail: (message: string) => void,
): ConditionTree | undefined {
  return text === undefined ? undefined : readWhen(text, parseConditionTree(text), fail);
}

function readWhen<T>(
  text: string,
  parsed: { ok: true; condition: T } | { ok: false; message: string },
  fail: (message: string) => void,
): T | undefined {
  if (parsed.ok) return parsed.condition;
  fail(`when: ${parsed.message}, in: ${text}`);
  return undefined;
}

function parseTarget(text: string, fail: (message: string) => void): readonly TargetStep[] {
  const steps = parseTargetPath(text);
  if (steps === undefined) fail(`to: ${text} is no path such as name[+].given[0]`);
  return steps ?? [];
}

function emitIgnore(
  path: SourcePath,
  when: ConditionTree | undefined,
  name: string,
  code: Code,
): string {
  const tests = emitTests(path, when, code);
  const isOwnField = path.children.length === 0 && path.segment === code.segment;
  const take =
    isOwnField && path.segment !== undefined && !code.isTraced
      ? `F?.take(${path.field}); // ${name}`
      : `${code.bind(ignore)}(frame, ${code.bind(path)}, ${JSON.stringify(name)});`;
  return tests === '' ? take : `if (${tests}) ${take}`;
}

function ignore(frame: Frame, path: SourcePath, name: string): void {
  const isField = path.children.length === 0 && path.segment !== undefined;
  for (const source of readPath(path, frame)) {
    if (source.valued) frame.run.onRule?.(name);
    if (isField) frame.run.fields(source.segment).take(path.field);
    else source.isTaken = true;
  }
}

/** What must hold for the rule to do anything, the cheapest first: most fields of most messages have no content. */
function emitTests(
  path: SourcePath | undefined,
  when: ConditionTree | undefined,
  code: Code,
): string {
  const filled = path === undefined ? '' : emitFilled(path, code);
  return [filled, when === undefined ? '' : emitCondition(when, code)].filter(Boolean).join(' && ');
}

function emitRule(rule: CompiledRule, code: Code): string {
  const { path, when, document } = rule;
  const body = document.join === undefined ? emitBody(rule, code) : emitJoined(rule, code);
  if (body === undefined) return '';
  const { ifNone } = document;
  const free = ifNone === undefined ? '' : emitFree(ifNone, code);
  const tests = [emitTests(path, when, code), free].filter(Boolean).join(' && ');
  return `${tests === '' ? '' : `if (${tests}) `}{ ${body} } // ${rule.name}`;
}

function emitBody(rule: CompiledRule, code: Code): string | undefined {
  const { path } = rule;
  const written = emitProduced(rule, rule.produce(code, path !== undefined), code);
  if (written === undefined || path === undefined) return written;
  if (path.segment === undefined || path.repetition !== 'all') {
    return `const x = ${emitRead(path, code)}; if (x.valued) { ${written} }`;
  }
  const isOwn = path.segment === code.segment;
  const list = isOwn
    ? `F.repetitions(${path.field})`
    : `${code.bind(readPath)}(${code.bind({ ...path, children: [] })}, frame)`;
  return `for (const r of ${list}) { const x = r${emitParts(path)}; if (x.valued) { ${written} } }`;
}

/** All values that are there as one text, which is written as if the first were its source. */
function emitJoined(rule: CompiledRule, code: Code): string | undefined {
  const { path, produce, document } = rule;
  const each = path === undefined ? undefined : produce(code, true);
  if (path === undefined || each === undefined) return undefined;
  const joined = `texts.join(${JSON.stringify(document.join)})`;
  const written = { text: '', value: joined, test: '', isObject: false };
  return (
    `const all = ${code.bind(readPath)}(${code.bind(path)}, frame), texts = []; ` +
    `for (const x of all) if (x.valued) { ${each.text}if (typeof ${each.value} === "string") texts.push(${each.value}); } ` +
    `if (texts.length > 0) { const x = all[0]; ${emitProduced(rule, written, code)} }`
  );
}

function emitProduced(
  rule: CompiledRule,
  produced: Produced | undefined,
  code: Code,
): string | undefined {
  if (produced === undefined) return undefined;
  const { text, value, test, isObject } = produced;
  const constants = rule.also.map(([steps, constant]) => ({
    ...{ steps, value: JSON.stringify(constant) },
    isObject: isPlainObject(constant),
  }));
  const first = { steps: rule.to, value, isObject };
  if (!code.isTraced) {
    const writes = emitWrites([first, ...constants], code);
    return test === '' ? text + writes : `${text}if (${test}) { ${writes}}`;
  }
  const source = rule.path === undefined ? 'undefined' : 'x';
  const name = JSON.stringify(rule.name);
  const noteEach = [first, ...constants].map((write, at) => {
    const place = `o, ${code.bind(write.steps)}, frame, ${source}, ${name}`;
    const note = at === 0 ? `${code.bind(noteWritten)}(begin, ` : `${code.bind(noteConstant)}(`;
    const joined =
      write.steps.length === 0 ? `${code.bind(noteJoined)}(begin, o, ${value}, frame); ` : '';
    return `${emitWrites([write], code)}${joined}${note}${place}); `;
  });
  const begin = 'const begin = frame.run.trace?.length ?? 0; ';
  const notes = noteEach.join('');
  return test === ''
    ? begin + text + notes
    : `${begin}${text}if (${test}) { ${notes}} else ${code.bind(forget)}(frame, begin);`;
}

/** What inner rules made of a code that was left out is made of nothing. */
function forget({ run: { trace } }: Frame, begin: number): void {
  if (trace !== undefined) trace.length = begin;
}

/** Says where a value that was written came from; what inner rules said of it since `begin` is now further in. */
function noteWritten(
  begin: number,
  into: Draft,
  steps: readonly TargetStep[],
  frame: Frame,
  source: SourceValue | undefined,
  rule: string,
): void {
  const { trace, onRule } = frame.run;
  onRule?.(rule);
  if (trace === undefined) return;
  const target = toWritten(into, steps);
  const inner = trace.length > begin;
  for (let i = begin; i < trace.length; i++) {
    const entry = trace[i];
    if (entry === undefined || target === '') continue;
    entry.target = entry.target === '' ? target : `${target}.${entry.target}`;
  }
  if (!inner) trace.push({ target, source: toSourceText(frame, source), rule });
}

/** What inner rules said since `begin` of items that were joined with others is of where these stand now. */
function noteJoined(begin: number, into: Draft, joined: Draft, { run: { trace } }: Frame): void {
  for (const entry of trace?.slice(begin) ?? []) {
    const [start = '', name = '', index] = /^(\w+)\[(\d+)\]/.exec(entry.target) ?? [];
    const [all, own] = [into[name], joined[name]];
    if (!Array.isArray(all) || !Array.isArray(own)) continue;
    const place = Number(index) + all.length - own.length;
    entry.target = `${name}[${place}]${entry.target.slice(start.length)}`;
  }
}

function noteConstant(
  into: Draft,
  steps: readonly TargetStep[],
  frame: Frame,
  source: SourceValue | undefined,
  rule: string,
): void {
  const { trace } = frame.run;
  trace?.push({ target: toWritten(into, steps), source: toSourceText(frame, source), rule });
}

/** That nothing stands in the output whose path begins so; what holds it need not be there. */
function emitFree(prefix: string, code: Code): string {
  const steps = parseTargetPath(prefix) ?? [];
  const last = JSON.stringify(steps.at(-1)?.name ?? prefix);
  if (steps.length < 2) return `!${code.bind(hasElement)}(o, ${last})`;
  return `!${code.bind(hasElementWithin)}(o, ${code.bind(steps.slice(0, -1))}, ${last})`;
}

function hasElementWithin(into: Draft, steps: readonly TargetStep[], prefix: string): boolean {
  const holder = readTarget(into, steps);
  return isPlainObject(holder) && hasElement(holder, prefix);
}

function hasElement(into: Draft, prefix: string): boolean {
  if (into[prefix] !== undefined) return true;
  for (const key in into) if (key.startsWith(prefix)) return true;
  return false;
}
