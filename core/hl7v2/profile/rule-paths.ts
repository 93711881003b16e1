/** What a rule of `fields` is about. */
export interface FieldPath {
  /** The groups around the segment that tell it from others, from outside to inside; none: anywhere. */
  readonly groups: readonly string[];
  readonly segment: string;
  readonly field: number;
  /** Component and sub-component, as far as they are entered. */
  readonly parts: readonly number[];
}

/** What a rule of `datatypes` is about. */
export interface DatatypePath {
  readonly datatype: string;
  readonly parts: readonly number[];
}

const fieldPath =
  /^((?:[A-Z][A-Z0-9_]*\.)*)([A-Z][A-Z0-9]{2})-([1-9]\d{0,3})(?:\.([1-9]\d{0,2})(?:\.([1-9]\d{0,2}))?)?$/;
const datatypePath = /^([A-Z][A-Z0-9_]{1,9})\.([1-9]\d{0,2})(?:\.([1-9]\d{0,2}))?$/;

/** Reads `PID-3`, `PID-3.1`, `OBSERVATION.OBX-5.1.2`; undefined for anything else. */
export function parseFieldPath(text: string): FieldPath | undefined {
  const [found, groups = '', segment = '', field, ...parts] = fieldPath.exec(text) ?? [];
  if (found === undefined) return undefined;
  return {
    groups: groups.split('.').slice(0, -1),
    segment,
    field: Number(field),
    parts: toNumbers(parts),
  };
}

/** Reads `CX.4`, `CX.4.1`; undefined for anything else. */
export function parseDatatypePath(text: string): DatatypePath | undefined {
  const [found, datatype = '', ...parts] = datatypePath.exec(text) ?? [];
  return found === undefined ? undefined : { datatype, parts: toNumbers(parts) };
}

const toNumbers = (parts: readonly (string | undefined)[]): number[] =>
  parts.filter((part) => part !== undefined).map(Number);

/** Whether a place ends as a path says: `OBSERVATION.OBX` fits `ORU_R01.….OBSERVATION.OBX`. */
export function isAtEnd(place: readonly string[], path: readonly string[]): boolean {
  const offset = place.length - path.length;
  return offset >= 0 && path.every((name, at) => place[offset + at] === name);
}
