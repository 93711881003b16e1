import {
  ConditionError,
  type ConditionResult,
  type ConditionTree,
  readCondition,
} from '../../condition/parse-condition.ts';
import type {
  ConditionContext,
  ElementDefinition,
  VersionDefinitions,
} from '../definitions/definitions.ts';
import { parseTimestamp } from '../timestamp.ts';
import { compilePattern } from './pattern.ts';

type Holds = (context: ConditionContext) => boolean;

interface ConditionScope {
  /** The segment that the rule is about; undefined for a rule of a datatype. */
  readonly segment: string | undefined;
  readonly definitions: VersionDefinitions;
}

/**
 * Compiles the condition of a rule. A subject is a field or component: of the segment that the rule is about
 * (`OBX-2`, or `.2`), then its own occurrence is meant; or of another one (`MSH-9.2`), then any of the message.
 * A test holds where any of the values there passes it. Forms: `number`, `date-time`.
 */
export function compileCondition(text: string, scope: ConditionScope): ConditionResult<Holds> {
  return readCondition(text, (tree) => compile(tree, scope), { plainWords: true });
}

function compile(tree: ConditionTree, scope: ConditionScope): Holds {
  switch (tree.kind) {
    case 'or': {
      const parts = tree.parts.map((part) => compile(part, scope));
      return (context) => parts.some((part) => part(context));
    }
    case 'and': {
      const parts = tree.parts.map((part) => compile(part, scope));
      return (context) => parts.every((part) => part(context));
    }
    case 'not': {
      const part = compile(tree.part, scope);
      return (context) => !part(context);
    }
    case 'valued': {
      const { whole } = toSubject(tree.subject, scope);
      return (context) => context.all(whole).some(isValued);
    }
    case 'null': {
      const { whole } = toSubject(tree.subject, scope);
      return (context) => context.all(whole).includes('""');
    }
    case 'count': {
      const { whole } = toSubject(tree.subject, scope);
      return (context) => tree.compare(context.all(whole).filter(isValued).length);
    }
    case 'in': {
      const texts = new Set(tree.texts);
      return toTest(tree.subject, scope, (value) => texts.has(value));
    }
    case 'length':
      return toTest(tree.subject, scope, (value) => tree.compare(Array.from(value).length));
    case 'is':
      return toTest(tree.subject, scope, toForm(tree.form));
    case 'matches':
      return toTest(tree.subject, scope, toPattern(tree.pattern));
  }
}

function toTest(subject: string, scope: ConditionScope, test: (value: string) => boolean): Holds {
  const { leaf } = toSubject(subject, scope);
  return (context) => context.all(leaf).some(test);
}

/** Anything but delimiters and the HL7 null: a field of several components comes as it is written. */
const isValued = (value: string): boolean => value !== '""' && /[^\s^~&]/.test(value);

function toForm(form: string): (value: string) => boolean {
  if (form === 'number') return (value) => /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(value);
  if (form === 'date-time') return (value) => parseTimestamp(value) !== undefined;
  throw new ConditionError(`expected number or date-time, found ${form}`);
}

function toPattern(pattern: string): (value: string) => boolean {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof SyntaxError) throw new ConditionError(`'${pattern}': ${error.message}`);
    throw error;
  }
}

const subjectPath = /^(?:([A-Z][A-Z0-9]{2})-|\.)(\d+)(?:\.(\d+)(?:\.(\d+))?)?$/;

interface Subject {
  /** The path as `ConditionContext` takes it. */
  readonly whole: string;
  /** That of the first value in it. */
  readonly leaf: string;
}

function toSubject(text: string, { segment, definitions }: ConditionScope): Subject {
  const [found, named, ...positions] = subjectPath.exec(text) ?? [];
  const name = named ?? segment;
  if (found === undefined) throw new ConditionError(`${text} is no path such as OBX-2 or MSH-9.2`);
  if (name === undefined || (segment === undefined && name !== 'MSH')) {
    throw new ConditionError(`${text}: a rule of a datatype can only ask for fields of MSH`);
  }
  const numbers = positions.filter((each: string | undefined) => each !== undefined).map(Number);
  const depth = checkSubject(text, { name, numbers, definitions });
  const position = numbers.join('.');
  const whole = name === segment ? position : `${name}-${position}`;
  return { whole, leaf: whole + '.1'.repeat(depth) };
}

/** How many levels of first parts lie below the path; throws where the version does not have it. */
function checkSubject(
  text: string,
  path: {
    readonly name: string;
    readonly numbers: readonly number[];
    readonly definitions: VersionDefinitions;
  },
): number {
  const { name, numbers, definitions } = path;
  if (name.startsWith('Z')) return 0;
  let parts: readonly ElementDefinition[] | undefined = definitions.findSegment(name)?.fields;
  for (const number of numbers) {
    if (parts === undefined) break;
    const element: ElementDefinition | undefined = parts[number - 1];
    if (element === undefined) {
      throw new ConditionError(`${text}: ${definitions.version} has no such field or component`);
    }
    if (element.datatype === 'varies') return 0;
    parts = definitions.findDatatype(element.datatype)?.components ?? [];
  }
  if (parts === undefined)
    throw new ConditionError(`${text}: ${definitions.version} has no ${name}`);
  let depth = 0;
  for (let at = numbers.length; at < 3 && parts.length > 0; at++, depth++) {
    parts = definitions.findDatatype(parts[0]?.datatype ?? '')?.components ?? [];
  }
  return depth;
}
