import {
  ConditionError,
  type ConditionResult,
  type ConditionTree,
  readCondition,
} from '../condition/parse-condition.ts';
import { Code } from './code.ts';
import { isComparedNumber, isDateTime, isNumber, isTime } from './formats.ts';
import {
  type SourcePath,
  emitFilled,
  emitPrelude,
  emitRead,
  findSegment,
  parseSourcePath,
} from './path.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toText } from './source.ts';
import { findOwn } from '../own.ts';

/** A condition of a rule, compiled: pure, reads the message only. */
export type Condition = (frame: Frame) => boolean;

/**
 * Compiles a condition; the grammar is that of `readCondition`. A subject is a source path, a segment's
 * name, or for `count` a group's name; forms are `number`, `compared-number`, `date-time` and `time`.
 * `count` of a field is its repetitions that are there, of a segment or group how many the current group has, or where
 * it cannot have any, the nearest around it that can.
 */
export function parseCondition(text: string): ConditionResult<Condition> {
  const parsed = parseConditionTree(text);
  return parsed.ok ? { ok: true, condition: toCondition(parsed.condition) } : parsed;
}

/** As {@link parseCondition}, for {@link emitCondition}. */
export function parseConditionTree(text: string): ConditionResult<ConditionTree> {
  return readCondition(text, (tree) => {
    // Made for its problems.
    emitCondition(tree, new Code(undefined));
    return tree;
  });
}

/** Its code is made at the first use: most conditions of most processes are never asked. */
function toCondition(tree: ConditionTree): Condition {
  let condition: Condition | undefined;
  return (frame) => (condition ??= build(tree))(frame);
}

function build(tree: ConditionTree): Condition {
  const code = new Code(undefined);
  const test = emitCondition(tree, code);
  return code.build(`(frame) => { ${emitPrelude(code)} return ${test}; }`) as Condition;
}

/** The condition as an expression of code. */
export function emitCondition(tree: ConditionTree, code: Code): string {
  switch (tree.kind) {
    case 'or':
    case 'and': {
      const parts = tree.parts.map((part) => emitCondition(part, code));
      return `(${parts.join(tree.kind === 'or' ? ' || ' : ' && ')})`;
    }
    case 'not':
      return `!${emitCondition(tree.part, code)}`;
    case 'valued':
      return emitValued(tree.subject, code);
    case 'null': {
      const path = toPath(tree.subject);
      const isNull = `${emitRead(path, code)}.raw === '""'`;
      return `(${[emitFilled(path, code), isNull].filter(Boolean).join(' && ')})`;
    }
    case 'in': {
      const text = emitText(tree.subject, code);
      const [first = '', ...more] = tree.texts;
      return more.length === 0
        ? `(${text} === ${JSON.stringify(first)})`
        : `${code.bind(new Set(tree.texts))}.has(${text})`;
    }
    case 'is':
      return emitForm(tree.subject, tree.form, code);
    case 'matches':
      throw new ConditionError('expected valued, null, =, !=, in or is, found matches');
    case 'count':
      return `${code.bind(tree.compare)}(${emitCount(tree.subject, code)})`;
    case 'length':
      return `${code.bind(tree.compare)}(${emitText(tree.subject, code)}.length)`;
  }
}

const forms: Readonly<Record<string, (text: string) => boolean>> = {
  number: isNumber,
  'compared-number': isComparedNumber,
  'date-time': isDateTime,
  time: isTime,
};

function emitForm(subject: string, name: string, code: Code): string {
  const text = emitText(subject, code);
  const test = findOwn(forms, name);
  if (test === undefined) {
    throw new ConditionError(`expected number, compared-number, date-time or time, found ${name}`);
  }
  return `${code.bind(test)}(${text})`;
}

const nameOnly = /^[A-Z][A-Z0-9_]{2,}$/;

function toPath(subject: string): SourcePath {
  const path = parseSourcePath(subject);
  if (path === undefined) throw new ConditionError(`${subject} is no path such as PID-3.4 or 4.2`);
  return path;
}

function emitText(subject: string, code: Code): string {
  if (nameOnly.test(subject)) return '""';
  const path = toPath(subject);
  const filled = emitFilled(path, code);
  const text = `${code.bind(toText)}(${emitRead(path, code)})`;
  return code.once(filled === '' ? text : `${filled} ? ${text} : ""`);
}

/** A segment is valued when it is there; a value when anything in it is. */
function emitValued(subject: string, code: Code): string {
  if (nameOnly.test(subject)) {
    return `(${code.bind(findSegment)}(${JSON.stringify(subject)}, frame) !== undefined)`;
  }
  const path = toPath(subject);
  const filled = emitFilled(path, code);
  const valued = `${code.bind(isValued)}(${emitRead(path, code)})`;
  return code.once(filled === '' ? valued : `!!(${filled} && ${valued})`);
}

function isValued(value: SourceValue): boolean {
  return value.valued && /[^\s^~&]/.test(value.raw);
}

function emitCount(subject: string, code: Code): string {
  if (nameOnly.test(subject)) return `frame.group.count(${JSON.stringify(subject)})`;
  const path = toPath(subject);
  if (path.segment === undefined) return `(${emitRead(path, code)}.valued ? 1 : 0)`;
  return `${code.bind(countValued)}(frame, ${JSON.stringify(path.segment)}, ${path.field})`;
}

function countValued(frame: Frame, name: string, field: number): number {
  const segment = findSegment(name, frame);
  if (segment === undefined) return 0;
  const repetitions = frame.run.fields(segment).repetitions(field);
  return repetitions.filter((repetition) => repetition.valued).length;
}
