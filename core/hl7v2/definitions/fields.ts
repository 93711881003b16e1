import { findVersion, isWithin, type Version, type VersionRange } from './versions.ts';

/**
 * Required fields of a segment: positions, with `@` the first version that requires it, or a range of
 * versions. Only what every edition of the chapters agrees on: where they contradict one another (OBX-4,
 * ORC-1 of 2.3) a field is not required here.
 */
const requiredFields: Readonly<Record<string, string>> = {
  MSH: '7@2.4 9 10 11 12',
  SFT: '1 2 3 4',
  UAC: '1 2',
  EVN: '1@2.3-2.3 2@2.3.1',
  PID: '3 5',
  ARV: '2 3',
  ROL: '2 3@2.3.1 4',
  NK1: '1',
  PV1: '2',
  DB1: '1',
  AL1: '1 3',
  DG1: '1 3@2.6 6',
  PR1: '1 3@2.3.1 5@2.3.1',
  GT1: '1 3',
  IN1: '1 2@2.3.1 3',
  IN3: '1',
  ORC: '1@2.4',
  OBR: '4',
  CTD: '1@2.4',
  OBX: '3 11',
  FT1: '4 6 7',
  CTI: '1',
  SPM: '4',
  MSA: '1 2',
  ERR: '3@2.5 4@2.5',
};

/** Fields whose first component is a date or time (DT, TM, TS, DTM) in every version. */
const timestampFields: Readonly<Record<string, readonly number[]>> = {
  MSH: [7],
  EVN: [2],
  PID: [7],
  PV1: [44, 45],
  ORC: [9],
  OBR: [7, 8, 14, 22],
  OBX: [14],
};

/** The positions of the fields that a segment must have in a version. */
export function findRequiredFields(segment: string, version: Version): readonly number[] {
  const key = `${segment} ${version}`;
  let positions = cache.get(key);
  if (positions === undefined) {
    positions = readPositions(requiredFields[segment] ?? '', version);
    cache.set(key, positions);
  }
  return positions;
}

/** The positions of the fields of a segment that hold a timestamp. */
export function findTimestampFields(segment: string): readonly number[] {
  return timestampFields[segment] ?? none;
}

const cache = new Map<string, readonly number[]>();
const none: readonly number[] = [];

function readPositions(text: string, version: Version): readonly number[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => word.split('@'))
    .filter(([, range]) => range === undefined || isWithin(version, toRange(range)))
    .map(([position]) => Number(position));
}

function toRange(text: string): VersionRange {
  const [from, to] = text.split('-').map(findVersion);
  return { from: from ?? '2.1', ...(to === undefined ? {} : { to }) };
}

/** HL7 table 0085, each code with the first version that has it: codes were only ever added. */
const resultStatuses: Readonly<Record<string, Version>> = {
  D: '2.1',
  F: '2.1',
  I: '2.1',
  R: '2.1',
  S: '2.1',
  C: '2.2',
  P: '2.2',
  U: '2.2',
  X: '2.2',
  N: '2.3.1',
  O: '2.3.1',
  W: '2.3.1',
  A: '2.8',
  B: '2.8',
  V: '2.8',
};

/** The version from which on a code is in table 0085, what OBX-11 may say; undefined for a code of none. */
export function findResultStatus(code: string): Version | undefined {
  return Object.hasOwn(resultStatuses, code) ? resultStatuses[code] : undefined;
}

/** HL7 table 0125, of all versions: what OBX-2 may name. */
export const valueTypes: ReadonlySet<string> = new Set(
  (
    'AD CE CF CK CN CNE CNN CP CQ CWE CX DLN DR DT DTM ED EI FT GTS HD ID IS JCC MA MO NA NM NR PL PN PPN ' +
    'RI RP SI SN ST TM TN TS TX XAD XCN XON XPN XTN'
  ).split(' '),
);
