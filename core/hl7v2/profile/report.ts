import type { Issue } from '../../issue.ts';
import { toIssue } from './parse-profile.ts';
import type { Profile, ProfileLayer, Rule } from './profile.ts';

/** Says what is wrong with a rule; a message such as `codes.add: …` begins with the key that it is about. */
export type Report = (message: string) => void;

/** Collects what is wrong with a profile's rules, and which of them are about something at all. */
export class RuleReport {
  readonly issues: Issue[] = [];
  private readonly known = new Set<string>();
  private readonly used = new Set<Rule<unknown>>();

  /** A rule that applies to many places says its fault once. */
  add(layer: ProfileLayer, path: readonly (string | number)[], message: string): void {
    const issue = toIssue(layer.locate(path), message);
    const line = `${issue.location ?? ''} ${message}`;
    if (!this.known.has(line)) this.issues.push(issue);
    this.known.add(line);
  }

  /** The report of one rule. */
  of(layer: ProfileLayer, { key, path }: Rule<unknown>): Report {
    return (message) => {
      const property = /^[a-z]+(?:\.[a-z]+)?(?=:? )/i.exec(message)?.[0].split('.') ?? [];
      this.add(layer, [...path, ...property], `${key}: ${message}`);
    };
  }

  use(rule: Rule<unknown>): void {
    this.used.add(rule);
  }

  isUsed(rule: Rule<unknown>): boolean {
    return this.used.has(rule);
  }
}

/** The file whose rules these are, not one that it extends. */
export function findOwnLayer({ layers }: Profile): ProfileLayer {
  const own = layers.at(-1);
  if (own === undefined) throw new Error('Expected a profile with a layer, found none');
  return own;
}
