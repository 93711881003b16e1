import { isValid, type Issue } from '../../issue.ts';

/** Enough for people; a message of nothing but faults must not grow what is written about it. */
const maxFindings = 1_000;

/** More than are usually found in one segment. */
const few = 32;

/** What a validation found, in the order in which it was found, bounded. */
export class Findings {
  private readonly issues: Issue[] = [];
  private hasError = false;
  private left = 0;

  /** Whether nothing that is found from now on changes what is reported: looking on is of no use. */
  get isFull(): boolean {
    return this.issues.length >= maxFindings && this.hasError && this.left > 0;
  }

  add(issue: Issue): void {
    const isFirstError = !this.hasError && !isValid([issue]);
    // The first error is kept however late it comes: it decides whether the message is valid.
    if (this.issues.length < maxFindings || isFirstError) this.issues.push(issue);
    else this.left++;
    this.hasError ||= isFirstError;
  }

  /** Whether one of the last few findings is of that kind at that place. */
  hasLately(code: string, location: string): boolean {
    return this.issues
      .slice(-few)
      .some((issue) => issue.code === code && issue.location === location);
  }

  toIssues(): readonly Issue[] {
    if (this.left === 0) return this.issues;
    const message = `Expected fewer faults, found more than ${maxFindings}; the rest is not listed`;
    return [
      ...this.issues,
      { code: 'findings-truncated', severity: 'information', location: 'MSH', message },
    ];
  }
}
