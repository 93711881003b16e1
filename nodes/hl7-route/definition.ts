import { parsePathExpression } from '../../core/hl7v2/parse-path.ts';
import { findListIssues, type Contribute } from '../shared/contribution.ts';

export const type = 'hl7 route';

/** How a field's values are compared. */
export const operators = [
  'equals',
  'not-equals',
  'starts-with',
  'contains',
  'matches',
  'is-empty',
  'exists',
] as const;

export type Operator = (typeof operators)[number];

/** One rule and its output: the first rule has the first output. */
export type Rule =
  /** MSH-9 as `ORU^R01`, `ADT^*`, `ADT^A04^ADT_A01`; several joined by commas. */
  | { readonly kind: 'type'; readonly value: string }
  /** Any value at the path, such as `PID-3.4.1`; no value is needed for `is-empty` and `exists`. */
  | {
      readonly kind: 'field';
      readonly path: string;
      readonly operator: Operator;
      readonly value: string;
    }
  /** Any value at the path is one of those in `values`, joined by commas. */
  | { readonly kind: 'table'; readonly path: string; readonly values: string };

/** Configuration as the editor stores it. */
export interface Hl7RouteConfig {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** All rules that match get the message, not only the first. */
  readonly all: boolean;
  /** Rules and one more: what no rule matched. Kept by the editor for the node's ports. */
  readonly outputs: number;
}

export const defaults: Hl7RouteConfig = {
  name: '',
  rules: [{ kind: 'type', value: 'ORU^R01' }],
  all: false,
  outputs: 2,
};

/** What can be wrong with a rule; the editor's catalog has a text for each. */
export type RuleProblem = 'type-missing' | 'path-invalid' | 'value-missing' | 'expression-invalid';

/** Whether the operator compares with a value. */
export function needsValue(operator: Operator): boolean {
  return operator !== 'is-empty' && operator !== 'exists';
}

/** The first thing that is wrong with a rule; undefined where nothing is. */
export function findRuleProblem(rule: Rule): RuleProblem | undefined {
  switch (rule.kind) {
    case 'type':
      return toList(rule.value).length === 0 ? 'type-missing' : undefined;
    case 'table':
      if (!isPath(rule.path)) return 'path-invalid';
      return toList(rule.values).length === 0 ? 'value-missing' : undefined;
    case 'field':
      if (!isPath(rule.path)) return 'path-invalid';
      if (!needsValue(rule.operator)) return undefined;
      if (rule.value === '') return 'value-missing';
      return rule.operator === 'matches' && !isExpression(rule.value)
        ? 'expression-invalid'
        : undefined;
  }
}

/** Nothing at the edge; a deploy checks its rules: a faulty one would fail every message. */
export const contribute: Contribute = (node) => {
  const rules = node['rules'] as readonly Rule[] | undefined;
  const check = { what: 'rule', findProblem: findRuleProblem, texts: ruleProblems };
  const issues = findListIssues(node, rules, check);
  return issues.length === 0 ? {} : { issues };
};

const ruleProblems: Readonly<Record<RuleProblem, string>> = {
  'type-missing': 'expected a message type such as ORU^R01, found none',
  'path-invalid': 'expected a path such as PID-3.4.1, found something else',
  'value-missing': 'expected a value to compare with, found none',
  'expression-invalid':
    'expected a regular expression that looks neither around nor back, found something else',
};

/** Whether the text is a path to a value or a segment: `PID-3[2].4.1`, `OBX[3]-5`, `ZPI`. */
function isPath(text: string): boolean {
  return parsePathExpression(text.trim()).ok;
}

/**
 * Whether the text is a regular expression that can be searched for in linear time, which rules out looking
 * around and looking back.
 */
function isExpression(text: string): boolean {
  if (/\(\?<?[=!]|\\[1-9k]/.test(text)) return false;
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** The entries of a list joined by commas, without the blanks around them. */
export function toList(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** A rule in a few words, for the output's label: `PID-3.4.1 equals "NORTH"`. */
export function toLabel(rule: Rule, operatorName: (operator: Operator) => string): string {
  switch (rule.kind) {
    case 'type':
      return rule.value;
    case 'table':
      return `${rule.path} ∈ ${toList(rule.values).join(', ')}`;
    case 'field': {
      const value = needsValue(rule.operator) ? ` "${rule.value}"` : '';
      return `${rule.path} ${operatorName(rule.operator)}${value}`;
    }
  }
}
