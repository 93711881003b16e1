import { HilumError } from '../../core/errors.ts';
import type { FlowNode, NodeContribution } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { findPlaceholders, resolveEnv, type Environment } from './environment.ts';
import { fieldProblems, type FieldParser } from './fields.ts';
import type { InstalledMappings } from './installed-mappings.ts';

/** What a node's contribution depends on besides its own configuration. */
export interface ContributionContext {
  /** The interface that the node is on: the id of its flow tab. */
  readonly interface: string;
  /** Where to listen when the node names no host: `HILUM_BIND`. */
  readonly defaults: { readonly bind: string };
  /** For `${NAME}` in its fields; none: they have been resolved already. */
  readonly env?: Environment;
  /** Throws HilumError (permanent) where the profile of this name is none. Absent: its files are read. */
  readonly checkProfile?: (name: string) => void;
  /** The maps and tables that are about to be deployed. Absent: those that are shipped. */
  readonly mappings?: InstalledMappings;
}

/**
 * What a node makes the edge and the broker hold. Never throws: what is wrong with its configuration
 * comes back as issues of severity error, located by the node's id. Disabled nodes are the caller's to skip.
 */
export type Contribute = (node: FlowNode, context: ContributionContext) => NodeContribution;

/** Parsers by the name of the field. */
export type Fields = Readonly<Record<string, FieldParser<unknown>>>;

/** The values that the parsers give. */
export type FieldValues<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends FieldParser<infer T> ? T : never;
};

/**
 * A contribution made from the node's fields: `make` runs only where every field is as it should be. What
 * is wrong between two fields it says itself, as issues alone.
 */
export function contributeFrom<F extends Fields>(
  fields: F,
  make: (values: FieldValues<F>, node: FlowNode, context: ContributionContext) => NodeContribution,
): Contribute {
  return (node, context) => {
    const read = readFields(node, fields, context.env ?? {});
    return read.issues.length > 0 ? { issues: read.issues } : make(read.values, node, context);
  };
}

/** A node's values by its parsers; throws a permanent HilumError with all that is wrong with them. */
export function requireFields<F extends Fields>(
  config: { readonly id: string; readonly type: string },
  fields: F,
  env: Environment,
): FieldValues<F> {
  const { values, issues } = readFields({ ...config }, fields, env);
  if (issues.length > 0) throw new HilumError('permanent', issues);
  return values;
}

/** Where there are issues, the values are not all there. */
function readFields<F extends Fields>(
  node: FlowNode,
  fields: F,
  env: Environment,
): { readonly values: FieldValues<F>; readonly issues: readonly Issue[] } {
  const values: Record<string, unknown> = {};
  const issues: Issue[] = [];
  for (const [name, parse] of Object.entries(fields)) {
    const text = resolveEnv(textOf(node[name]), env);
    const [unset] = findPlaceholders(text);
    const parsed = parse(text);
    if (unset !== undefined) {
      issues.push(buildIssue(node, 'placeholder-unset', `${name} ${unsetText(unset)}`));
    } else if (parsed.ok) {
      values[name] = parsed.value;
    } else {
      const words = `${name}: ${fieldProblems[parsed.problem]}${found(text)}`;
      issues.push(buildIssue(node, parsed.problem, words));
    }
  }
  return { values: values as FieldValues<F>, issues };
}

/** The text of a field as the editor stores it: text, a number, or a tick as `true` and `false`. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.trim();
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return '';
  }
}

/** Whether something is wired to the output, 1-based. */
export function isWired(wires: FlowNode['wires'], output: number): boolean {
  return (wires?.[output - 1]?.length ?? 0) > 0;
}

/** What is wrong with a node's configuration: refuses the deploy and names the node. */
export function buildIssue(node: FlowNode, code: string, message: string): Issue {
  const who =
    node.name === undefined || node.name === '' ? node.type : `${node.type} "${node.name}"`;
  return { code, severity: 'error', location: node.id, message: `${who}: ${message}` };
}

function unsetText(name: string): string {
  return `refers to \${${name}}, which is not set: set it in the environment or write the value itself`;
}

function found(text: string): string {
  return text === '' ? '' : `, found "${text}"`;
}

/**
 * What is wrong with each entry of a list that a node keeps, called `what` and its number: a faulty one would
 * fail every message. A node without the list has none.
 */
export function findListIssues<T, P extends string>(
  node: FlowNode,
  entries: readonly T[] | undefined,
  check: {
    readonly what: string;
    readonly findProblem: (entry: T) => P | undefined;
    readonly texts: Readonly<Record<P, string>>;
  },
): readonly Issue[] {
  const { what, findProblem, texts } = check;
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: T, index) => {
    const problem = findProblem(entry);
    if (problem === undefined) return [];
    return [buildIssue(node, `${what}-${problem}`, `${what} ${index + 1}: ${texts[problem]}`)];
  });
}
