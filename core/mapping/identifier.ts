import type { SourcePath } from './path.ts';
import { findSegment } from './path.ts';
import type { Frame } from './run.ts';
import { toText } from './source.ts';
import { type Draft, isPlainObject } from './target.ts';

/** An identifier that can be searched for. */
export interface OwnIdentifier {
  readonly system: string;
  readonly value: string;
}

/** An identifier (CX, or a plain number) as it stands in a field of the message. */
export interface FieldIdentifier {
  readonly value: string;
  /** CX.5; `''` where it states none. */
  readonly type: string;
  /** All of it, without what is empty at its end. */
  readonly raw: string;
}

/** The identifiers of a field that have a value, in order. HL7 v2 chapter 2A, CX. */
export function readIdentifiers(path: SourcePath, frame: Frame): readonly FieldIdentifier[] {
  const segment = path.segment === undefined ? undefined : findSegment(path.segment, frame);
  if (segment === undefined) return [];
  const found: FieldIdentifier[] = [];
  for (const source of frame.run.fields(segment).repetitions(path.field)) {
    const value = toText(source.part(1)).trim();
    if (value === '') continue;
    found.push({ value, type: toText(source.part(5)).trim(), raw: trimEmptyEnd(source.raw) });
  }
  return found;
}

/**
 * The one that identifies: of the first of these types, else without a type, in the field's order. Others
 * (an account, an insurance or social security number) may be shared, so none of them is given.
 */
export function chooseIdentifier(
  list: readonly FieldIdentifier[],
  types: readonly string[],
): FieldIdentifier | undefined {
  for (const type of [...types, '']) {
    const found = list.find((identifier) => identifier.type === type);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The same identifier as it was mapped; undefined where it has no system. */
export function findMapped(
  resource: Draft,
  { value, type }: FieldIdentifier,
): OwnIdentifier | undefined {
  return listUsable(resource).find(
    (identifier) => identifier.value === value && (toType(identifier) ?? '') === type,
  );
}

/** The identifier of the first of these types that has system and value, else the first that has both. */
export function findIdentifier(
  resource: Draft,
  types: readonly string[],
): OwnIdentifier | undefined {
  const usable = listUsable(resource);
  for (const type of types) {
    const found = usable.find((identifier) => toType(identifier) === type);
    if (found !== undefined) return found;
  }
  return usable[0];
}

/** A raw value without the empty components, sub-components and blanks at its end. In linear time. */
export function trimEmptyEnd(raw: string): string {
  let end = raw.length;
  while (end > 0 && isEmptyEnd(raw, end - 1)) end--;
  return end === raw.length ? raw : raw.slice(0, end);
}

function isEmptyEnd(raw: string, at: number): boolean {
  const code = raw.charCodeAt(at);
  // Nearly always a letter or digit.
  if (code >= 0x61 && code <= 0x7a) return false;
  if (code >= 0x30 && code <= 0x39) return false;
  return /[\^&\s]/.test(raw.charAt(at));
}

function listUsable(resource: Draft): (Draft & { system: string; value: string })[] {
  const list = resource['identifier'];
  return Array.isArray(list) ? list.filter(isUsable) : [];
}

function isUsable(identifier: unknown): identifier is Draft & { system: string; value: string } {
  return (
    isPlainObject(identifier) &&
    typeof identifier['system'] === 'string' &&
    typeof identifier['value'] === 'string' &&
    identifier['use'] !== 'old'
  );
}

function toType(identifier: Draft): unknown {
  const { type } = identifier;
  if (!isPlainObject(type) || !Array.isArray(type['coding'])) return undefined;
  const coding: unknown = type['coding'][0];
  return isPlainObject(coding) ? coding['code'] : undefined;
}
