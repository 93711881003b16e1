import type { RuleDocument } from '../document.ts';
import { parseSourcePath } from '../path.ts';
import { type TargetStep, parseTargetPath } from '../target.ts';
import { compileDeclared } from './declared.ts';
import { invertCondition } from './guard.ts';
import { equivalents } from './inverses.ts';
import { type ListRule, type Relative, compileList } from './list.ts';
import { type ElementStep, includes, readElements } from './node.ts';
import { type ProduceContext, type ReverseMap, type Unit, compileProducer } from './produce.ts';
import { toConstant, toSplit, toUnit } from './unit.ts';

/** How a rule goes back, or why it does not. */
export interface ReverseRule {
  readonly id: string;
  /**
   * `derived`: turned round; the same comes back. `equivalent`: turned round; what comes back says the same, perhaps
   * in another of the ways that HL7 v2 has, since several codes or forms become one in FHIR. `fallback`: turned round too, but another rule of the map comes first for the same
   * element. `declared`: written for the way back. `none`: the field does not come back by this rule.
   */
  readonly reverse: 'derived' | 'equivalent' | 'fallback' | 'declared' | 'none';
  readonly why?: string;
}

type Context = Omit<ProduceContext, 'name'> & {
  readonly map: ReverseMap;
  /** Problems of declared rules; those of others the way there has found. */
  readonly report: (message: string, rule: string) => void;
};

/** The units of a map, and what becomes of each of its rules. */
export function invertRules(
  rules: readonly RuleDocument[],
  context: Context,
): { readonly units: readonly Unit[]; readonly rules: readonly ReverseRule[] } {
  const listed: ReverseRule[] = [];
  const relatives: Relative[] = [];
  const targets = new Map<string, string>();
  for (const rule of rules) {
    const name = `${context.map.id}#${rule.id}`;
    if (rule.dir === 'toV2') {
      const unit = compileDeclared(rule, {
        ...context,
        name,
        isDatatype: context.map.segment === '',
        report: (m) => context.report(m, rule.id),
      });
      if (unit !== undefined) relatives.push({ kind: 'unit', unit });
      listed.push(toDeclared(rule));
      continue;
    }
    const inverted = invertRule(rule, { ...context, name });
    if (typeof inverted === 'string') {
      listed.push({ id: rule.id, reverse: 'none', why: inverted });
      continue;
    }
    relatives.push(inverted.relative);
    // Of a list several maps may make the items; a single element is of the first that makes it.
    const isList = rule.to?.includes('[+]') === true;
    const key = JSON.stringify([rule.to, ...(isList ? [rule.also, rule.via] : [])]);
    const before = rule.ifNone === undefined ? targets.get(key) : (targets.get(key) ?? rule.ifNone);
    const isImplied = 'const' in rule && rule.from === undefined;
    if (isImplied) {
      listed.push({
        id: rule.id,
        reverse: 'none',
        why: 'a constant comes of no field; it is expected',
      });
    } else if (before === undefined || distinguishes(rule)) {
      targets.set(key, rule.id);
      listed.push(toListed(rule, inverted, context));
    } else {
      listed.push({
        id: rule.id,
        reverse: 'fallback',
        why: `${before} comes first for this element`,
      });
    }
  }
  return { units: compileUnits(relatives), rules: listed };
}

/** How a rule that was written for the way back is listed: what it leaves out does not come back. */
export function toDeclared({ id, ignore, from = '$this' }: RuleDocument): ReverseRule {
  if (ignore === undefined) return { id, reverse: 'declared' };
  return { id, reverse: 'none', why: `${from} is left out: ${ignore}` };
}

function toListed(
  rule: RuleDocument,
  { unchecked }: InvertedRule,
  { tables }: Context,
): ReverseRule {
  const table = rule.table === undefined ? undefined : tables.get(rule.table);
  const reasons = unchecked.map((part) => `not looked at: ${part}`);
  if (table?.isInjective === false)
    reasons.push('several codes become one: the preferred or first comes back');
  const isEquivalent = table?.isInjective === false || equivalents.has(rule.fn ?? '');
  if (isEquivalent && table === undefined) reasons.push('perhaps written otherwise');
  if (rule.via !== undefined && table !== undefined)
    reasons.push('a name that the table has for the code stays with it');
  if (rule.join !== undefined)
    reasons.push(`each part between ${JSON.stringify(rule.join)} comes back as a repetition`);
  const why = reasons.join('; ');
  return {
    id: rule.id,
    reverse: isEquivalent ? 'equivalent' : 'derived',
    ...(why === '' ? {} : { why }),
  };
}

/** Whether its condition, turned round, keeps it apart from other rules for the same element. */
const distinguishes = ({ when, ifNone }: RuleDocument): boolean =>
  when !== undefined && ifNone === undefined && /=|\bin\b/.test(when);

/** Units in the order of their rules; those of one list are one unit, where its first rule stands. */
function compileUnits(relatives: readonly Relative[]): readonly Unit[] {
  const units: Unit[] = [];
  const lists = new Map<string, ListRule[]>();
  // What wrote only where others had not has the last word on the way back too.
  const ordered = [...relatives.filter((one) => !isLate(one)), ...relatives.filter(isLate)];
  for (const relative of ordered) {
    if (relative.kind === 'unit') {
      units.push(relative.unit);
      continue;
    }
    const at = relative.steps.findIndex(({ index }) => index === 'next' || index === 'last');
    const step = relative.steps[at];
    if (step === undefined) {
      units.push(toScalar(relative));
      continue;
    }
    const key = JSON.stringify([relative.steps.slice(0, at), step.name]);
    const inner: Relative = { ...relative, steps: relative.steps.slice(at + 1) };
    const openers = lists.get(key);
    if (step.index === 'last') {
      // What no rule of this map began, the message's own rules reach.
      openers?.at(-1)?.followers.push(inner);
      continue;
    }
    const opener: ListRule = { relative: inner, followers: [] };
    if (openers !== undefined) {
      openers.push(opener);
      continue;
    }
    const list = [opener];
    lists.set(key, list);
    const holder = relative.steps.slice(0, at).map(toElementStep);
    units.push((frame, node) => {
      // Compiled when first used: rules that follow still add to it.
      const unit = compiled.get(list) ?? remember(list, compileList(step.name, list, compileUnits));
      const found = readElements(node, holder)[0];
      return found === undefined ? 'none' : unit(frame, found);
    });
  }
  return units;
}

const isLate = (relative: Relative): boolean => relative.kind === 'rule' && relative.isFallback;

/** Constants beside the value that are there must be those of the rule; where there are none it may be all the same. */
function toScalar({ steps, also, compile }: Extract<Relative, { kind: 'rule' }>): Unit {
  const unit = compile(steps.map(toElementStep));
  if (also.length === 0) return unit;
  const beside = also.map(([path, value]) => [path.map(toElementStep), value] as const);
  return (frame, node) => {
    const found = beside.map(([path, value]) => [readElements(node, path)[0], value] as const);
    if (found.some(([one, value]) => one !== undefined && !includes(one.value, value)))
      return 'none';
    const outcome = unit(frame, node);
    if (outcome === 'done')
      for (const [one] of found) if (one !== undefined) frame.run.consume(frame, one);
    return outcome;
  };
}

const compiled = new WeakMap<object, Unit>();

function remember(list: object, unit: Unit): Unit {
  compiled.set(list, unit);
  return unit;
}

function toElementStep({ name, index }: TargetStep): ElementStep {
  return { name, index: typeof index === 'number' ? index : undefined };
}

interface InvertedRule {
  readonly relative: Relative;
  readonly unchecked: readonly string[];
}

function invertRule(
  rule: RuleDocument,
  context: Context & { readonly name: string },
): InvertedRule | string {
  if (rule.dir === 'toFhir') return 'declared for the way there alone';
  if (rule.ignore !== undefined) return `ignored: ${rule.ignore}`;
  const steps = parseTargetPath(rule.to ?? '') ?? [];
  const path = rule.from === undefined ? undefined : parseSourcePath(rule.from);
  const own = context.map.segment;
  if (own !== '' && path?.segment !== undefined && path.segment !== own) {
    return `${rule.from ?? ''} is of another segment`;
  }
  if (
    rule.from === undefined &&
    own !== '' &&
    steps.some(({ index }) => index === 'next') &&
    rule.via !== undefined &&
    rule.resource === undefined
  ) {
    return 'a segment of its own for each, which the message map makes';
  }
  const inverted = invertCondition(rule.when, own);
  const also = Object.entries(rule.also ?? {}).map(
    ([text, value]) => [parseTargetPath(text) ?? [], value] as const,
  );
  const isFallback = rule.ifNone !== undefined;
  if ('const' in rule) {
    const compile = (at: readonly ElementStep[]): Unit =>
      toConstant({ rule, at, path, inverted, name: context.name });
    return {
      relative: { kind: 'rule', steps, also, path, compile, isFallback },
      unchecked: [],
    };
  }
  const produce = compileProducer(rule, context);
  if (typeof produce === 'string') return produce;
  const { join } = rule;
  const compile = (at: readonly ElementStep[]): Unit =>
    toUnit({
      at,
      path,
      inverted,
      produce: join === undefined ? produce : toSplit(produce, join, path),
      isFallback,
      isShared: own === '' && path?.segment !== undefined,
    });
  return {
    relative: { kind: 'rule', steps, also, path, compile, isFallback },
    unchecked: inverted.unchecked,
  };
}
