import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LineCounter } from 'yaml';
import type { Issue } from '../../issue.ts';
import { findVersion, versions } from '../definitions/versions.ts';
import type {
  CodesRule,
  ElementRule,
  ItemRule,
  Profile,
  ProfileFile,
  ProfileFiles,
  ProfileLayer,
  Rule,
} from './profile.ts';
import { findDoubledKeys, findOffset, readYaml } from './read-yaml.ts';
import { profileSchema } from './schema.ts';
import { suggest } from '../../suggest.ts';

export type ProfileResult =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Reads a profile and what it extends. All problems at once, `profile-invalid`, located as `file:line:column`;
 * whether its paths and tables exist is checked by `applyProfile`, against a version.
 */
export function parseProfile(file: ProfileFile, files: ProfileFiles): ProfileResult {
  const issues: Issue[] = [];
  const chain: FileContent[] = [];
  const seen = new Set<string>();
  let current = file;
  for (;;) {
    seen.add(current.path);
    const content = readFile(current, files, issues);
    if (content === undefined) return { ok: false, issues };
    chain.unshift(content);
    const base = content.document.extends;
    if (base === undefined) return toProfile(chain, issues);
    const next = files.find(base, current);
    if (next === undefined || seen.has(next.path)) {
      const reason = next === undefined ? 'there is no such profile' : 'it extends itself';
      issues.push(toIssue(content.locate(['extends']), `extends: ${base}: ${reason}`));
      return { ok: false, issues };
    }
    current = next;
  }
}

/** A problem of a profile's file. */
export function toIssue(location: string, message: string): Issue {
  return { code: 'profile-invalid', severity: 'error', location, message };
}

interface ProfileDocument {
  readonly profile: string;
  readonly title?: string;
  readonly version?: string;
  readonly messages?: readonly string[];
  readonly extends?: string;
  readonly segments?: Readonly<Record<string, ItemRule | string>>;
  readonly fields?: Readonly<Record<string, ElementRule | string>>;
  readonly datatypes?: Readonly<Record<string, ElementRule | string>>;
  readonly valueSets?: Readonly<Record<string, CodesRule | string | readonly string[]>>;
}

interface FileContent {
  readonly document: ProfileDocument;
  readonly locate: ProfileLayer['locate'];
  readonly codeFiles: ReadonlyMap<string, string>;
}

function toProfile(chain: readonly FileContent[], issues: Issue[]): ProfileResult {
  const own = chain.at(-1);
  if (own === undefined) return { ok: false, issues };
  const findLast = <K extends keyof ProfileDocument>(key: K): ProfileDocument[K] | undefined =>
    chain.findLast(({ document }) => document[key] !== undefined)?.document[key];
  const written = findLast('version');
  const version = written === undefined ? undefined : findVersion(written);
  const messages = findLast('messages');
  if (version === undefined) {
    const at = own.locate(['version']);
    issues.push(toIssue(at, `version: expected one of ${versions.join(', ')}`));
  }
  if (messages === undefined) {
    const text = 'messages: expected the messages that the profile is for, such as [ORU^R01]';
    issues.push(toIssue(own.locate([]), text));
  }
  if (version === undefined || messages === undefined || issues.length > 0) {
    return { ok: false, issues };
  }
  const name = own.document.profile;
  const title = own.document.title ?? name;
  return { ok: true, profile: { name, title, version, messages, layers: chain.map(toLayer) } };
}

function toLayer({ document, locate, codeFiles }: FileContent): ProfileLayer {
  return {
    name: document.profile,
    segments: toRules<ItemRule>('segments', document.segments),
    fields: toRules<ElementRule>('fields', document.fields),
    datatypes: toRules<ElementRule>('datatypes', document.datatypes),
    valueSets: new Map(
      Object.entries(document.valueSets ?? {}).map(([key, codes]) => [
        key,
        { key, rule: toCodesRule(codes), path: ['valueSets', key] },
      ]),
    ),
    locate,
    codeFiles,
  };
}

/** A rule that is only a usage is the short form of one with a usage. */
function toRules<T>(
  section: string,
  rules: Readonly<Record<string, T | string>> = {},
): readonly Rule<T>[] {
  return Object.entries(rules).map(([key, rule]) => ({
    key,
    rule: typeof rule === 'string' ? ({ usage: rule } as T) : rule,
    path: [section, key],
  }));
}

/** The short forms of codes (`[F, C]`, `"0001"`, `result-status`) in their long one. */
export function toCodesRule(codes: CodesRule | string | readonly string[]): CodesRule {
  if (typeof codes === 'string') return /^\d{4}$/.test(codes) ? { table: codes } : { set: codes };
  return isList(codes) ? { list: codes } : codes;
}

const isList = (codes: object): codes is readonly string[] => Array.isArray(codes);

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
});
/** Compiled when the first profile is read: that takes tenths of a second, and many processes read none. */
let validator: ValidateFunction<ProfileDocument> | undefined;

/** Far more than anybody writes. */
const maxLength = 1_000_000;

function readFile(
  file: ProfileFile,
  files: ProfileFiles,
  issues: Issue[],
): FileContent | undefined {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file.path}:${line}:${col}`;
  };
  if (file.text.length > maxLength) {
    issues.push(toIssue(file.path, `The file is longer than ${maxLength} characters`));
    return undefined;
  }
  const parsed = readYaml(file.text, lines);
  if (typeof parsed === 'string') {
    issues.push(toIssue(file.path, parsed));
    return undefined;
  }
  const { yaml, content } = parsed;
  const [error] = yaml.errors;
  if (error !== undefined) {
    // The others follow from the first.
    const [reason = ''] = error.message.split(/ at line |\n/);
    const hint = reason.includes('flow')
      ? '; inside { } a text with a comma or a bracket needs quotes'
      : '';
    issues.push(toIssue(place(error.pos[0]), `The file is no YAML: ${reason}${hint}`));
    return undefined;
  }
  for (const { key, offset } of findDoubledKeys(yaml)) {
    issues.push(
      toIssue(place(offset), `"${key}" is here for the second time; expected each key once`),
    );
  }
  const locate = (path: readonly (string | number)[]): string => place(findOffset(yaml, path));
  const validate = (validator ??= ajv.compile<ProfileDocument>(profileSchema));
  if (!validate(content)) {
    for (const error of validate.errors ?? []) {
      const issue = describe(error, locate);
      if (issue !== undefined) issues.push(issue);
    }
    return undefined;
  }
  const codeFiles = new Map<string, string>();
  for (const { name, path } of findCodeFiles(content)) {
    const text = files.readCodes(name, file)?.text;
    if (text !== undefined) codeFiles.set(name, text);
    else issues.push(toIssue(locate(path), `There is no file ${name} beside the profile`));
  }
  return { document: content, locate, codeFiles };
}

function describe(error: ErrorObject, locate: ProfileLayer['locate']): Issue | undefined {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const where = path.length === 0 ? '' : `${toRuleName(path)}: `;
  const schema = error.parentSchema as
    { readonly description?: string; readonly properties?: object } | undefined;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      const known = Object.keys(schema?.properties ?? {});
      const text = `${where}"${key}" has no meaning here; expected ${known.join(', ')}.`;
      const hint = key.includes(' ')
        ? ' Inside { } a text with a comma needs quotes.'
        : suggest(key, known);
      return toIssue(locate([...path, key]), text + hint);
    }
    case 'required':
      return toIssue(
        locate(path),
        `${where}expected "${String(error.params['missingProperty'])}", found none`,
      );
    default: {
      const found = describeValue(error.data);
      const hint = typeof error.data === 'string' ? suggestUsage(path, error.data) : '';
      const expected = schema?.description ?? error.message ?? '';
      return toIssue(
        locate(path),
        `${where}expected another value, found ${found}. ${expected}${hint}`,
      );
    }
  }
}

function suggestUsage(path: readonly string[], value: string): string {
  const isUsage = path.at(-1) === 'usage' || path.length === 2;
  return isUsage ? suggest(value, ['R', 'RE', 'O', 'X', 'C(R/O)', 'C(R/X)', 'C(RE/O)']) : '';
}

/** `PID-3.usage` of `fields/PID-3/usage`. */
function toRuleName(path: readonly string[]): string {
  return path.length > 1 && /^(?:fields|segments|datatypes|valueSets)$/.test(path[0] ?? '')
    ? path.slice(1).join('.')
    : path.join('.');
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (typeof value === 'string') return `"${value.slice(0, 40)}"`;
  return Array.isArray(value) ? 'a list' : 'several keys';
}

function findCodeFiles(
  document: ProfileDocument,
): { readonly name: string; readonly path: readonly string[] }[] {
  const found: { name: string; path: readonly string[] }[] = [];
  const look = (codes: unknown, path: readonly string[]): void => {
    const name = (codes as CodesRule | undefined)?.file;
    if (typeof name === 'string') found.push({ name, path: [...path, 'file'] });
  };
  for (const [key, codes] of Object.entries(document.valueSets ?? {}))
    look(codes, ['valueSets', key]);
  for (const section of ['fields', 'datatypes'] as const) {
    for (const [key, rule] of Object.entries(document[section] ?? {})) {
      if (typeof rule !== 'string') look(rule.codes, [section, key, 'codes']);
    }
  }
  return found;
}
