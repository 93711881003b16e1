import {
  isResourceType,
  OperationOutcomeError,
  validateTypedValue,
  type TypedValueWithPath,
} from '@medplum/core';
import type { OperationOutcomeIssue, StructureDefinition } from '@medplum/fhirtypes';
import type { Issue } from '../issue.ts';
import { isInValueSet } from './bindings.ts';
import { toRecord } from './record.ts';
import type { ValueSetCodes } from './value-sets.ts';

/** What is checked, and what says how it must be. */
export interface Checked {
  /** A resource, or an element of a data type, with the name of its type. */
  readonly type: string;
  readonly value: unknown;
  /** Where it stands: `Bundle.entry[1].resource`. */
  readonly location: string;
  /** Without one, the definition of the type. */
  readonly profile?: StructureDefinition;
}

/**
 * What @medplum/core finds by one StructureDefinition: cardinalities, types, slices, invariants and required bindings. Types
 * must have been indexed there. No message holds a value of the resource.
 */
export function checkByDefinition(
  checked: Checked,
  valueSets: ReadonlyMap<string, ValueSetCodes>,
): readonly Issue[] {
  const { type, value, location, profile } = checked;
  const tokens: Record<string, TypedValueWithPath[]> = {};
  const options = { collect: { tokens }, base64BinaryMaxBytes: 2 ** 30 };
  const found = findIssues(() =>
    validateTypedValue({ type, value }, profile === undefined ? options : { ...options, profile }),
  );
  const issues: Issue[] = found.filter(isSure).map((issue) => ({
    code: issue.code === 'invariant' ? 'fhir-invariant' : 'fhir-structure',
    severity: 'error',
    location: toLocation(issue, checked),
    message: toText(issue),
  }));
  for (const [url, values] of Object.entries(tokens)) {
    const codes = valueSets.get(url.replace(/\|.*$/, ''));
    for (const bound of values) {
      if (isInValueSet(bound, url, codes)) continue;
      issues.push({
        code: 'fhir-code',
        severity: 'error',
        location: bound.path.replace(type, location),
        message: `Expected a code of the value set ${url}, found none of it`,
      });
    }
  }
  return issues;
}

/** As the package gives and as it throws them: two values of one choice are a warning there. */
function findIssues(
  validate: () => readonly OperationOutcomeIssue[],
): readonly OperationOutcomeIssue[] {
  try {
    return validate();
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return error.outcome.issue;
  }
}

const reference = /^Invalid reference: got "(.*)", expected/s;

/** What a reference leads to is only known where it says the type. */
function isSure({ details }: OperationOutcomeIssue): boolean {
  const [, type] = reference.exec(details?.text ?? '') ?? [];
  return type === undefined || isResourceType(type);
}

const conflict = /^Conflicting choice of type properties: "(.*)", "(.*)"/;

function toLocation(issue: OperationOutcomeIssue, { type, value, location }: Checked): string {
  const [, one, other] = conflict.exec(issue.details?.text ?? '') ?? [];
  if (one !== undefined && other !== undefined) {
    // The package only names the two.
    return location + (findHolder(value, [one, other]) ?? '');
  }
  const [path = type] = issue.expression ?? [];
  return path === type || /^[A-Z]\w*[.[]/.test(path) ? path.replace(/^\w+/, location) : location;
}

/** The path of the first object that has these elements. */
function findHolder(value: unknown, keys: readonly string[]): string | undefined {
  const elements = toRecord(value);
  if (keys.every((key) => Object.hasOwn(elements, key))) return '';
  for (const [key, inner] of Object.entries(elements)) {
    const found = findHolder(inner, keys);
    if (found !== undefined) return (Array.isArray(value) ? `[${key}]` : `.${key}`) + found;
  }
  return undefined;
}

const toText = ({ details }: OperationOutcomeIssue): string =>
  (details?.text ?? 'The element is invalid').replace(/\.$/, '');
