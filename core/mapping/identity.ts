import type { BundleEntryRequest } from '@medplum/fhirtypes';
import type { IdentityDocument } from './document.ts';
import { type SourcePath, parseSourcePath, readFirst } from './path.ts';
import type { Frame, Identity } from './run.ts';
import { toUuid } from './sha1.ts';
import { type Draft, isPlainObject } from './target.ts';

/** Computes the identity of a resource that has just been mapped. */
export type Identify = (resource: Draft, frame: Frame) => Identity;

type KeyPart = (frame: Frame) => string;

/** Compiles an identity; problems are pushed as issues, located at `where`. */
export function compileIdentity(
  document: IdentityDocument,
  type: string,
  report: (message: string) => void,
): Identify {
  const { key } = document;
  const compile = (parts: readonly string[] | undefined): KeyPart[] =>
    (parts ?? []).map((part) => compileKeyPart(part, report));
  const within = compile(key.within);
  const by = (key.by ?? []).map(compile);
  const and = compile(key.and);
  const toName = (frame: Frame): string => {
    const read = (parts: readonly KeyPart[]): string[] => parts.map((part) => part(frame));
    const business = by.map(read).find((values) => values.some((value) => value !== ''));
    // Nothing that identifies: the message itself does, so that only its own redelivery is the same.
    const known = business ?? (by.length === 0 ? [] : [toUuid(frame.run.message.text)]);
    return JSON.stringify([type, read(within), known, read(and)]);
  };
  return (resource, frame) => {
    const own = document.identifier && findIdentifier(resource, document.identifier);
    if (own !== undefined) {
      const uuid = toUuid(JSON.stringify([type, own.system, own.value]));
      return { uuid, request: toRequest(document.request, type, own, uuid) };
    }
    const name = toName(frame);
    const uuid = toUuid(document.each === true ? frame.run.number(name) : name);
    if (document.request === 'id') {
      return { uuid, id: uuid, request: { method: 'PUT', url: `${type}/${uuid}` } };
    }
    const identifier = {
      system: document.system ?? `urn:hilum:${type.toLowerCase()}`,
      value: uuid,
    };
    return { uuid, identifier, request: toRequest(document.request, type, identifier, uuid) };
  };
}

function toRequest(
  kind: IdentityDocument['request'],
  type: string,
  identifier: { readonly system: string; readonly value: string },
  uuid: string,
): BundleEntryRequest {
  const query = `identifier=${toSearchToken(identifier.system, identifier.value)}`;
  switch (kind) {
    case 'update':
      return { method: 'PUT', url: `${type}?${query}` };
    case 'create':
      return { method: 'POST', url: type, ifNoneExist: query };
    case 'id':
      return { method: 'PUT', url: `${type}/${uuid}` };
  }
}

/** `system|value` as a token of a FHIR search, escaped for the search and then for the URL. FHIR R4 search, escaping. */
function toSearchToken(system: string, value: string): string {
  const escape = (text: string): string => encodeURIComponent(text.replace(/[\\|,$]/g, '\\$&'));
  return `${escape(system)}%7C${escape(value)}`;
}

/** The identifier of the first of these types that has system and value, else the first that has both. */
function findIdentifier(
  resource: Draft,
  types: readonly string[],
): { system: string; value: string } | undefined {
  const list = resource['identifier'];
  if (!Array.isArray(list)) return undefined;
  const usable = list.filter(isUsable);
  for (const type of types) {
    const found = usable.find((identifier) => toType(identifier) === type);
    if (found !== undefined) return found;
  }
  return usable[0];
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

/** `OBR-3 | ORC-3` or `@patient`. */
function compileKeyPart(part: string, report: (message: string) => void): KeyPart {
  if (part.startsWith('@')) {
    const label = part.slice(1);
    return (frame) => frame.run.findEntry(label, frame.group)?.uuid ?? '';
  }
  const paths: SourcePath[] = [];
  for (const text of part.split('|')) {
    const path = parseSourcePath(text.trim());
    if (path === undefined) report(`${text.trim()} is no path such as OBR-3 and no @label`);
    else paths.push(path);
  }
  return (frame) => {
    for (const path of paths) {
      const value = readFirst(path, frame)?.value;
      // Raw, since a whole field is a list: without what is empty at its end.
      const raw = value?.valued === true ? value.raw.replace(/[\^&\s]+$/, '') : '';
      if (raw !== '') return raw;
    }
    return '';
  };
}
