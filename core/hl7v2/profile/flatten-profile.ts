import { Document, isMap, visit } from 'yaml';
import type { CodesRule, ElementRule, ItemRule, Profile, Rule } from './profile.ts';

/** A profile as data, in the order in which people read it. */
export interface ProfileContent {
  readonly profile: string;
  readonly title?: string;
  readonly note?: string;
  readonly version: string;
  readonly messages: readonly string[];
  readonly segments?: Readonly<Record<string, ItemRule | string>>;
  readonly fields?: Readonly<Record<string, ElementRule | string>>;
  readonly datatypes?: Readonly<Record<string, ElementRule | string>>;
  readonly valueSets?: Readonly<Record<string, CodesRule>>;
}

/** A profile with all that it extends as one: each key once, as its last layers have it. */
export function flattenProfile(profile: Profile): ProfileContent {
  const { name, title, version, messages, layers } = profile;
  const sets = new Map(layers.flatMap((layer) => [...layer.valueSets]));
  return {
    profile: name,
    ...(title === name ? {} : { title }),
    version,
    messages,
    segments: merge(layers.flatMap((layer) => layer.segments)),
    fields: merge(layers.flatMap((layer) => layer.fields)),
    datatypes: merge(layers.flatMap((layer) => layer.datatypes)),
    valueSets: Object.fromEntries([...sets].map(([key, { rule }]) => [key, rule])),
  };
}

function merge<T extends ItemRule | ElementRule>(
  rules: readonly Rule<T>[],
): Readonly<Record<string, T>> {
  const merged = new Map<string, T>();
  for (const { key, rule } of rules) {
    const { when, then, otherwise, ...before } = (merged.get(key) ?? {}) as ElementRule;
    // Another usage is without the condition of the one before.
    const kept = rule.usage === undefined ? { when, then, otherwise } : {};
    const all = Object.entries({ ...before, ...kept, ...rule });
    merged.set(key, toObject(all) as T);
  }
  return Object.fromEntries(merged);
}

function toObject(entries: readonly [string, unknown][]): object {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** A profile's file: a line a rule. Texts that look like numbers are quoted, for readers who know only those. */
export function formatProfile(content: ProfileContent): string {
  const sections = Object.entries(content).filter(
    ([, value]) => typeof value !== 'object' || Object.keys(value as object).length > 0,
  );
  const yaml = new Document(
    Object.fromEntries(sections.map(([key, value]) => [key, shorten(value)])),
  );
  visit(yaml, {
    Collection: (_, node, path) => {
      // The document, a section, and then a rule on a line of its own.
      if (path.length >= 4 || (!isMap(node) && path.length === 3)) node.flow = true;
    },
  });
  return yaml.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Rules in their short forms, as a person would write them. */
function shorten(section: unknown): unknown {
  if (typeof section !== 'object' || section === null || Array.isArray(section)) return section;
  const rules = Object.entries(section as Record<string, ElementRule>).map(([key, rule]) => [
    key,
    typeof rule === 'string' ? rule : shortenRule(rule),
  ]);
  return Object.fromEntries(rules);
}

function shortenRule(rule: ElementRule): unknown {
  const entries = Object.entries(rule).map(([key, value]: [string, unknown]) => {
    const isCount = /^(?:min|max)$/.test(key) && /^\d+$/.test(String(value));
    if (isCount) return [key, Number(value)];
    return [key, key === 'codes' ? shortenCodes(value) : value];
  });
  const [first] = entries;
  return entries.length === 1 && first?.[0] === 'usage' ? first[1] : Object.fromEntries(entries);
}

function shortenCodes(codes: unknown): unknown {
  const entries = typeof codes === 'object' && codes !== null ? Object.entries(codes) : [];
  const [[key, value] = ['', undefined]] = entries as [string, unknown][];
  return entries.length === 1 && /^(?:list|table|set)$/.test(key) ? value : codes;
}
