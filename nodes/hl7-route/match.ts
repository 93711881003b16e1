import { RE2JS } from 're2js';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import { toList, type Operator, type Rule } from './definition.ts';

/** Whether a message is one that the rule is about. */
export type Matcher = (message: Hl7Message) => boolean;

/** The rule, made ready once. A rule with a path that is none throws when it is asked. */
export function compileRule(rule: Rule): Matcher {
  switch (rule.kind) {
    case 'type':
      return compileType(rule.value);
    case 'table': {
      const values = new Set(toList(rule.values));
      return (message) => valuesAt(message, rule.path).some((value) => values.has(value));
    }
    case 'field':
      return compileComparison(rule.path, rule.operator, rule.value);
  }
}

/** `ADT^*` is every ADT, and so is `ADT`; a part that the pattern does not name may be anything. */
function compileType(value: string): Matcher {
  const patterns = toList(value).map((pattern) => pattern.split('^').map(toGlob));
  return (message) => {
    const parts = ['MSH-9.1', 'MSH-9.2', 'MSH-9.3'].map((path) => message.get(path) ?? '');
    return patterns.some((globs) => globs.every((glob, index) => glob.test(parts[index] ?? '')));
  };
}

function toGlob(text: string): { test(part: string): boolean } {
  const parts = text
    .trim()
    .split('*')
    .map((part) => RE2JS.quote(part));
  const expression = RE2JS.compile(parts.join('.*'), RE2JS.DOTALL);
  return { test: (part) => expression.matches(part) };
}

function compileComparison(path: string, operator: Operator, value: string): Matcher {
  const some =
    (test: (found: string) => boolean): Matcher =>
    (message) =>
      valuesAt(message, path).some(test);
  switch (operator) {
    case 'equals':
      return some((found) => found === value);
    case 'not-equals':
      return (message) => !valuesAt(message, path).includes(value);
    case 'starts-with':
      return some((found) => found.startsWith(value));
    case 'contains':
      return some((found) => found.includes(value));
    case 'matches': {
      // Linear in what is searched: no message makes a rule slow, however the rule is written.
      const expression = RE2JS.compile(value);
      return some((found) => expression.matcher(found).find());
    }
    case 'is-empty':
      return (message) => valuesAt(message, path).length === 0;
    case 'exists':
      return (message) => valuesAt(message, path).length > 0;
  }
}

/** Every value at the path, over all repetitions; empty ones and the HL7 null (`""`) are none. */
function valuesAt(message: Hl7Message, path: string): readonly string[] {
  return message.all(path.trim()).filter((value) => value !== '' && value !== '""');
}

/** The outputs (0-based) that the message goes to: the last one is "otherwise". */
export function findOutputs(
  message: Hl7Message,
  matchers: readonly Matcher[],
  all: boolean,
): readonly number[] {
  const outputs: number[] = [];
  for (const [index, matches] of matchers.entries()) {
    if (!matches(message)) continue;
    outputs.push(index);
    if (!all) break;
  }
  return outputs.length > 0 ? outputs : [matchers.length];
}
