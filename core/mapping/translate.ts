import type { Issue } from '../issue.ts';
import type { UnmappedPolicy } from './document.ts';
import { toShown } from './run.ts';
import {
  findCoding,
  type Table,
  toLeftOut,
  translateConcept,
  type Translation,
  type UnmappedCode,
} from './tables.ts';
import { type Draft, isPlainObject } from './target.ts';

/** What becomes of one code. */
export type TranslatedCode =
  | { readonly kind: 'translated'; readonly to: Translation }
  | { readonly kind: 'kept' }
  /** It is to be left out, and an issue says so. */
  | { readonly kind: 'omitted'; readonly issue: Issue }
  /** The message cannot go on with it: `error` and `hold`. */
  | {
      readonly kind: 'refused';
      readonly issue: Issue;
      /** With `hold`: what it waits for. */
      readonly held?: UnmappedCode;
    };

/** How codes that the table does not hold are treated, and where the code stands, for issues. */
export interface TranslateOptions {
  /** Instead of the table's own. */
  readonly policy?: UnmappedPolicy | undefined;
  /** `PID-8[1]`, `Patient.gender`, `msg.code`. */
  readonly location: string;
}

/** Translates one code by a table. */
export function translateCode(
  code: string,
  table: Table,
  options: TranslateOptions,
): TranslatedCode {
  const to = table.translate(code);
  return to === undefined ? treatUnmapped({ code }, table, options) : { kind: 'translated', to };
}

/** Translates a Coding or CodeableConcept in place, as `via` with `table` does in a map. */
export function translateCoded(
  concept: Draft,
  table: Table,
  options: TranslateOptions,
): Exclude<TranslatedCode, { kind: 'translated' }> | { readonly kind: 'translated' } {
  const code = findCoding(concept);
  const became = translateConcept(concept, table);
  if (became === 'unmapped') return treatUnmapped(code, table, options);
  return { kind: became };
}

function treatUnmapped(
  unmapped: UnmappedCode,
  table: Table,
  { policy = table.policy, location }: TranslateOptions,
): Exclude<TranslatedCode, { kind: 'translated' }> {
  if (policy === 'keep') return { kind: 'kept' };
  const { code } = unmapped;
  const refuse = (name: string, end: string): Issue => ({
    ...{ code: name, severity: 'error', location },
    message: `Table ${table.id} has no entry for ${toShown(code)}; ${end} Add the code to the table and deploy.`,
  });
  // A code of which the table says that it has no target is refused by nobody.
  if (policy === 'omit' || table.has(code)) {
    const message = toLeftOut(table, code, toShown(code));
    return {
      kind: 'omitted',
      issue: { code: 'code-unmapped', severity: 'warning', location, message },
    };
  }
  if (policy === 'error') {
    return { kind: 'refused', issue: refuse('code-unmapped', 'the message was refused.') };
  }
  const issue = refuse('code-unmapped-held', 'the message waits for it.');
  return { kind: 'refused', issue, held: unmapped };
}

/** An element of a resource that holds a code, and how to write it or take it away. */
export interface CodedElement {
  /** `Bundle.entry[0].resource.gender`. */
  readonly location: string;
  readonly value: string | Draft;
  /** Undefined takes it away. */
  readonly replace: (value: string | undefined) => void;
}

/**
 * The codes, Codings and CodeableConcepts at a path that begins with a resource type (`Patient.gender`,
 * `Observation.component.code`), over all resources of that type in a Bundle or the resource itself, and over lists.
 */
export function findCodedElements(resource: unknown, path: string): readonly CodedElement[] {
  const [type = '', ...names] = path.split('.');
  return listResources(resource).flatMap(({ location, value }) =>
    value['resourceType'] === type ? descend(value, names, location) : [],
  );
}

function listResources(
  resource: unknown,
): readonly { readonly location: string; readonly value: Draft }[] {
  if (!isPlainObject(resource)) return [];
  const entries = Array.isArray(resource['entry']) ? (resource['entry'] as unknown[]) : [];
  const inner = entries.flatMap((entry, index) => {
    const value = isPlainObject(entry) ? entry['resource'] : undefined;
    const location = `Bundle.entry[${index}].resource`;
    return isPlainObject(value) ? [{ location, value }] : [];
  });
  const { resourceType } = resource;
  const location = typeof resourceType === 'string' ? resourceType : 'Resource';
  return [{ location, value: resource }, ...inner];
}

function descend(
  owner: Draft,
  names: readonly string[],
  location: string,
): readonly CodedElement[] {
  const [name = '', ...rest] = names;
  const value = owner[name];
  const at = `${location}.${name}`;
  if (!Array.isArray(value)) {
    const set = (next: string | undefined): void => {
      if (next === undefined) Reflect.deleteProperty(owner, name);
      else owner[name] = next;
    };
    return toElements(value, { rest, at, set });
  }
  const list: unknown[] = value;
  // From the end, so that what is taken away moves none that is still to come.
  return list
    .map((inner, index) => ({ inner, index }))
    .reverse()
    .flatMap(({ inner, index }) =>
      toElements(inner, {
        rest,
        at: `${at}[${index}]`,
        set: (next) => {
          if (next === undefined) list.splice(index, 1);
          else list[index] = next;
          if (list.length === 0) Reflect.deleteProperty(owner, name);
        },
      }),
    );
}

interface Step {
  readonly rest: readonly string[];
  readonly at: string;
  readonly set: CodedElement['replace'];
}

function toElements(value: unknown, { rest, at, set }: Step): readonly CodedElement[] {
  if (rest.length > 0) return isPlainObject(value) ? descend(value, rest, at) : [];
  if (typeof value !== 'string' && !isPlainObject(value)) return [];
  return [{ location: at, value, replace: set }];
}
