import { findOwn } from '../own.ts';
import { toRecord } from './record.ts';
import { isUcum, ucumSystem } from './ucum.ts';
import type { CodeSystemCodes, ValueSetCodes } from './value-sets.ts';

/** A value with a required binding, as it stands in a resource. */
export interface BoundValue {
  /** `code`, `Coding`, `CodeableConcept`, `Quantity`, `string` or `uri`. */
  readonly type: string;
  readonly value: unknown;
}

/** Value sets of FHIR R4 that cannot be listed, and what is checked of their codes. */
const unlisted: Readonly<Record<string, (code: string) => boolean>> = {
  'http://hl7.org/fhir/ValueSet/mimetypes': (code) => /^[\w.+-]+\/[^\s/]+/.test(code),
  'http://hl7.org/fhir/ValueSet/currencies': (code) => /^[A-Z]{3}$/.test(code),
  'http://hl7.org/fhir/ValueSet/ucum-units': isUcum,
  'http://terminology.hl7.org/ValueSet/v3-UnitsOfMeasureCaseSensitive': isUcum,
};

/**
 * Whether a value keeps its required binding: the code is in the value set, of a CodeableConcept one of its codings is. True
 * where the value set cannot be checked here. FHIR R4, 4.1.3 required.
 */
export function isInValueSet(
  { type, value }: BoundValue,
  url: string,
  codes: ValueSetCodes | undefined,
): boolean {
  const hasCode = toCheck(url.replace(/\|.*$/, ''), codes);
  if (hasCode === undefined) return true;
  if (type === 'code' || type === 'string' || type === 'uri') {
    // A primitive with nothing but an extension says why it is not there.
    return typeof value !== 'string' || hasCode(undefined, value);
  }
  if (typeof value !== 'object' || value === null) return true;
  const isCoded = (coding: unknown): boolean => {
    const { system, code } = toRecord(coding);
    return typeof code === 'string' && typeof system === 'string' && hasCode(system, code);
  };
  if (type !== 'CodeableConcept') return isCoded(value);
  const { coding } = toRecord(value);
  return Array.isArray(coding) && coding.some(isCoded);
}

/** Undefined: nobody can tell. A primitive code has no system. */
function toCheck(
  url: string,
  codes: ValueSetCodes | undefined,
): ((system: string | undefined, code: string) => boolean) | undefined {
  const check = unlisted[url];
  if (check !== undefined) {
    return (system, code) =>
      check(code) && (check !== isUcum || system === undefined || system === ucumSystem);
  }
  if (codes === undefined || codes === null) return undefined;
  const isOf = (list: CodeSystemCodes | undefined, code: string): boolean =>
    list === '*' || list?.includes(code) === true;
  return (system, code) =>
    system === undefined
      ? Object.values(codes).some((list) => isOf(list, code))
      : isOf(findOwn(codes, system), code);
}
