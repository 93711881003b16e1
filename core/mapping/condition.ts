import {
  ConditionError,
  type ConditionResult,
  type ConditionTree,
  readCondition,
} from '../condition/parse-condition.ts';
import { isComparedNumber, isDateTime, isNumber, isTime } from './formats.ts';
import { type SourcePath, findSegment, parseSourcePath, readFirst } from './path.ts';
import type { Frame } from './run.ts';
import { toText } from './source.ts';

/** A condition of a rule, compiled: pure, reads the message only. */
export type Condition = (frame: Frame) => boolean;

/**
 * Compiles a condition; the grammar is that of `readCondition`. A subject is a source path, a segment's
 * name, or for `count` a group's name; forms are `number`, `compared-number`, `date-time` and `time`.
 * `count` of a field is its repetitions that are there, of a segment or group how many the current group has.
 */
export function parseCondition(text: string): ConditionResult<Condition> {
  return readCondition(text, compile);
}

function compile(tree: ConditionTree): Condition {
  switch (tree.kind) {
    case 'or': {
      const parts = tree.parts.map(compile);
      return (frame) => parts.some((part) => part(frame));
    }
    case 'and': {
      const parts = tree.parts.map(compile);
      return (frame) => parts.every((part) => part(frame));
    }
    case 'not': {
      const part = compile(tree.part);
      return (frame) => !part(frame);
    }
    case 'valued':
      return toValued(tree.subject);
    case 'null': {
      const path = toPath(tree.subject);
      return (frame) => readFirst(path, frame)?.raw === '""';
    }
    case 'in': {
      const read = toReader(tree.subject);
      const texts = new Set(tree.texts);
      return (frame) => texts.has(read(frame));
    }
    case 'is':
      return toForm(tree.subject, tree.form);
    case 'matches':
      throw new ConditionError('expected valued, null, =, !=, in or is, found matches');
    case 'count': {
      const count = toCount(tree.subject);
      return (frame) => tree.compare(count(frame));
    }
    case 'length': {
      const read = toReader(tree.subject);
      return (frame) => tree.compare(read(frame).length);
    }
  }
}

const forms: Readonly<Record<string, (text: string) => boolean>> = {
  number: isNumber,
  'compared-number': isComparedNumber,
  'date-time': isDateTime,
  time: isTime,
};

function toForm(subject: string, name: string): Condition {
  const read = toReader(subject);
  const test = forms[name];
  if (test === undefined) {
    throw new ConditionError(`expected number, compared-number, date-time or time, found ${name}`);
  }
  return (frame) => test(read(frame));
}

const nameOnly = /^[A-Z][A-Z0-9_]{2,}$/;

function toPath(subject: string): SourcePath {
  const path = parseSourcePath(subject);
  if (path === undefined) throw new ConditionError(`${subject} is no path such as PID-3.4 or 4.2`);
  return path;
}

function toReader(subject: string): (frame: Frame) => string {
  if (nameOnly.test(subject)) return () => '';
  const path = toPath(subject);
  return (frame) => {
    const found = readFirst(path, frame);
    return found === undefined ? '' : toText(found);
  };
}

/** A segment is valued when it is there; a value when anything in it is. */
function toValued(subject: string): Condition {
  if (nameOnly.test(subject)) return (frame) => findSegment(subject, frame) !== undefined;
  const path = toPath(subject);
  return (frame) => {
    const value = readFirst(path, frame);
    return value !== undefined && value.valued && /[^\s^~&]/.test(value.raw);
  };
}

function toCount(subject: string): (frame: Frame) => number {
  if (nameOnly.test(subject)) return (frame) => frame.group.count(subject);
  const path = toPath(subject);
  return (frame) => {
    if (path.segment === undefined) return readFirst(path, frame)?.valued === true ? 1 : 0;
    const segment = findSegment(path.segment, frame);
    if (segment === undefined) return 0;
    const repetitions = frame.run.fields(segment).repetitions(path.field);
    return repetitions.filter((repetition) => repetition.valued).length;
  };
}
