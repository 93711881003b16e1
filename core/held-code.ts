/**
 * A code for which a message is held: a rule, a table or a node says `hold`, and the table lacks it. It quotes the
 * message, so that it is kept with the message in the ledger and goes into no issue, answer or log.
 */
export interface HeldCode {
  /** The node of the flow that held the message. */
  readonly node: string;
  /** The layers over the tables in their order, with commas; `''`: none. */
  readonly layers: string;
  /** `PID.Patient`; absent where a node asked the table by itself. */
  readonly map?: string;
  /** The rule's id in its map. */
  readonly rule?: string;
  /** The table's id. */
  readonly table: string;
  /** The system of the code, where the message names one. */
  readonly system?: string;
  /** At most 200 characters of what stands in its place. */
  readonly code: string;
  /** Its name in the message, as long at most. */
  readonly display?: string;
  /** `OBX-3`, `Observation.code`: without the occurrence, which differs from message to message. */
  readonly source: string;
  /** The message waits for a code that becomes this one: from FHIR to HL7 v2. */
  readonly isTarget?: boolean;
}

/** Where a code is to be added, and what for example. */
export interface TableRow {
  /** In the folder of the mappings. */
  readonly file: string;
  /** The file is not there yet, and begins with this line. */
  readonly head?: string;
  /** A line of CSV, or an element of the ConceptMap's group; `TARGET` stands for what nobody but the site knows. */
  readonly row: string;
}

/** So many codes of a message are kept: when they are mapped it runs again, and may wait for others. */
const maxCodes = 20;
const maxText = 200;

/** What the ledger keeps of the codes of one message: the same for the same codes, whatever their order. */
export function packHeld(codes: readonly HeldCode[]): string {
  const packed = codes.slice(0, maxCodes).map((held) => {
    const { node, layers, map, rule, table, system, code, display, source, isTarget } = held;
    return JSON.stringify([
      ...[node, layers, map ?? null, rule ?? null, table, bound(system), bound(code)],
      ...[bound(display), source, isTarget === true ? 1 : 0],
    ]);
  });
  return `[${[...new Set(packed)].sort().join(',')}]`;
}

/** The codes that {@link packHeld} has packed. */
export function unpackHeld(text: string): readonly HeldCode[] {
  return (JSON.parse(text) as readonly PackedCode[]).map(
    ([node, layers, map, rule, table, system, code, display, source, isTarget]) => ({
      node,
      layers,
      ...(map === null ? {} : { map }),
      ...(rule === null ? {} : { rule }),
      table,
      ...(system === null ? {} : { system }),
      code: code ?? '',
      ...(display === null ? {} : { display }),
      source,
      ...(isTarget === 1 ? { isTarget: true } : {}),
    }),
  );
}

/** Part of the ledger's format: only ever grows at its end. */
type PackedCode = readonly [
  node: string,
  layers: string,
  map: string | null,
  rule: string | null,
  table: string,
  system: string | null,
  code: string | null,
  display: string | null,
  source: string,
  isTarget: number,
];

/** PostgreSQL has no NUL in a text, and half a character is none. */
const bound = (text: string | undefined): string | null =>
  text === undefined ? null : text.slice(0, maxText).replaceAll('\0', '␀').toWellFormed();

/** A place without its occurrences and repetitions: `OBX[2]-3[1].1` is `OBX-3.1`, `Bundle.entry[0].resource.code` its path. */
export const toField = (location: string): string => location.replaceAll(/\[\d+\]/g, '');
