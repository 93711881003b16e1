import type { BundleEntryRequest } from '@medplum/fhirtypes';
import type { IdentityDocument } from './document.ts';
import {
  type FieldIdentifier,
  type OwnIdentifier,
  chooseIdentifier,
  findIdentifier,
  findMapped,
  readIdentifiers,
  trimEmptyEnd,
} from './identifier.ts';
import { type SourcePath, findSegment, parseSourcePath, readFirst } from './path.ts';
import type { Frame, Identity } from './run.ts';
import { toUuid } from './sha1.ts';
import { toSegmentName } from './source.ts';
import type { Draft } from './target.ts';

/** Computes the identity of a resource that has just been mapped. */
export type Identify = (resource: Draft, frame: Frame) => Identity;

/** A part of a key as JSON: `""` where there is none. */
interface KeyPart {
  readonly read: (frame: Frame) => string;
  /** It is the same wherever it is read in a message. */
  readonly isOfHeader: boolean;
}

/** Parts of a key as a JSON list, and how that looks where there is none of them. */
interface KeyParts {
  readonly read: (frame: Frame) => string;
  readonly nothing: string;
}

const nothing = '""';

/** Compiles an identity; problems are pushed as issues, located at `where`. */
export function compileIdentity(
  document: IdentityDocument,
  type: string,
  report: (message: string) => void,
): Identify {
  const { key } = document;
  const compile = (parts: readonly string[] | undefined): KeyParts =>
    compileKey(parts ?? [], report);
  const within = compile(key.within);
  const by = (key.by ?? []).map(compile);
  const and = compile(key.and);
  const toKnown = (frame: Frame): string => {
    for (const parts of by) {
      const known = parts.read(frame);
      if (known !== parts.nothing) return known;
    }
    // Nothing that identifies: the message itself does, so that only its own redelivery is the same.
    return by.length === 0 ? '[]' : JSON.stringify([frame.run.messageUuid]);
  };
  const start = `[${JSON.stringify(type)},`;
  const toName = (frame: Frame): string =>
    `${start}${within.read(frame)},${toKnown(frame)},${and.read(frame)}]`;
  const system = document.system ?? `urn:hilum:${type.toLowerCase()}`;
  const token = toSearchToken(system, '');
  const fields = (document.from ?? []).flatMap((text) => compileField(text, report));
  const find = fields.length === 0 ? undefined : compileFind(fields, document, type);
  return (resource, frame) => {
    const found = find?.(resource, frame);
    const own =
      find === undefined
        ? document.identifier && findIdentifier(resource, document.identifier)
        : found?.own;
    if (own !== undefined) {
      const uuid = toUuid(JSON.stringify([type, own.system, own.value]));
      return {
        uuid,
        request: toRequest(document.request, type, toSearchToken(own.system, own.value), uuid),
      };
    }
    const name =
      found === undefined
        ? toName(frame)
        : `${start}${within.read(frame)},${JSON.stringify(found.known)}]`;
    const uuid = toUuid(document.each === true ? frame.run.number(name) : name);
    if (document.request === 'id') {
      return { uuid, id: uuid, request: { method: 'PUT', url: `${type}/${uuid}` } };
    }
    const request = toRequest(document.request, type, token + uuid, uuid);
    return { uuid, identifier: { system, value: uuid }, request };
  };
}

interface IdentifierField {
  /** `PID-3`: where an identifier like this one usually stands. */
  readonly name: string;
  readonly path: SourcePath;
}

/** By what a resource is known: an identifier of its own, else the parts of a key. */
interface Known {
  readonly own: OwnIdentifier | undefined;
  readonly known: readonly (string | number)[];
}

function compileField(text: string, report: (message: string) => void): IdentifierField[] {
  const [field = '', name = field] = text.split(' as ');
  const path = parseSourcePath(field);
  const known = parseSourcePath(name);
  if (path?.segment !== undefined && path.children.length === 0 && known?.segment !== undefined) {
    return [{ name, path }];
  }
  report(`from: ${text} is no field such as PID-3, and not of the form MRG-1 as PID-3`);
  return [];
}

/**
 * Looks only where `from` says. An identifier of the first field may serve itself; whatever else is found is
 * a key with its field's name and all of its parts, so that equal numbers of different kinds stay apart.
 */
function compileFind(
  fields: readonly IdentifierField[],
  document: IdentityDocument,
  type: string,
): (resource: Draft, frame: Frame) => Known {
  return (resource, frame) => {
    for (const [index, { name, path }] of fields.entries()) {
      const list = readIdentifiers(path, frame);
      const [first] = list;
      if (first === undefined) continue;
      const chosen: FieldIdentifier | undefined =
        index === 0 ? chooseIdentifier(list, document.identifier ?? []) : undefined;
      return {
        own: chosen && findMapped(resource, chosen),
        known: [name, (chosen ?? first).raw],
      };
    }
    return { own: undefined, known: toUnknown(fields, type, frame) };
  };
}

/** Nothing identifies: the message does, and which of its segments it is. */
function toUnknown(
  fields: readonly IdentifierField[],
  type: string,
  frame: Frame,
): (string | number)[] {
  const { run } = frame;
  const [field] = fields;
  const segment = field?.path.segment && findSegment(field.path.segment, frame);
  run.issues.push({
    code: `${type.toLowerCase()}-without-identifier`,
    severity: 'warning',
    ...(field && segment ? { location: `${toSegmentName(segment)}-${field.path.field}` } : {}),
    message:
      `Expected an identifier in ${fields.map(({ name }) => name).join(', ')}, found none: only a ` +
      `redelivery of this message finds this ${type} again. Let the sender fill ${field?.name ?? ''}.`,
  });
  return [run.messageUuid, segment ? segment.occurrence : 0];
}

function toRequest(
  kind: IdentityDocument['request'],
  type: string,
  token: string,
  uuid: string,
): BundleEntryRequest {
  const query = `identifier=${token}`;
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
  return `${toEscaped(system)}%7C${toEscaped(value)}`;
}

function toEscaped(text: string): string {
  // Most systems and values need none.
  return /^[\w.-]*$/.test(text) ? text : encodeURIComponent(text.replace(/[\\|,$]/g, '\\$&'));
}

function compileKey(parts: readonly string[], report: (message: string) => void): KeyParts {
  const compiled = parts.map((part) => compileKeyPart(part, report));
  const read = (frame: Frame): string => {
    let text = '[';
    for (const part of compiled) text += text === '[' ? part.read(frame) : `,${part.read(frame)}`;
    return `${text}]`;
  };
  const isOfHeader = compiled.length > 0 && compiled.every((part) => part.isOfHeader);
  return {
    read: isOfHeader ? (frame) => frame.run.remember(read, frame) : read,
    nothing: `[${parts.map(() => nothing).join()}]`,
  };
}

/** `OBR-3 | ORC-3`, `@patient`, or a constant, `'guarantor'`, that keeps equal keys of different kinds apart. */
function compileKeyPart(part: string, report: (message: string) => void): KeyPart {
  if (part.startsWith('@')) {
    const label = part.slice(1);
    const read = (frame: Frame): string =>
      `"${frame.run.findEntry(label, frame.group)?.uuid ?? ''}"`;
    return { read, isOfHeader: false };
  }
  const [, constant] = /^'(.+)'$/.exec(part) ?? [];
  if (constant !== undefined) {
    const quoted = JSON.stringify(constant);
    return { read: () => quoted, isOfHeader: true };
  }
  const paths: SourcePath[] = [];
  for (const text of part.split('|')) {
    const path = parseSourcePath(text.trim());
    if (path === undefined)
      report(`${text.trim()} is no path such as OBR-3, no @label and no 'constant'`);
    else paths.push(path);
  }
  return {
    read: (frame) => readKey(paths, frame),
    isOfHeader: paths.every(({ segment }) => segment === 'MSH'),
  };
}

function readKey(paths: readonly SourcePath[], frame: Frame): string {
  for (const path of paths) {
    const value = readFirst(path, frame);
    // Raw, since a whole field is a list: without what is empty at its end.
    const raw = value?.valued === true ? trimEmptyEnd(value.raw) : '';
    if (raw !== '') return JSON.stringify(raw);
  }
  return nothing;
}
