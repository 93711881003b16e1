import type { Bundle } from '@medplum/fhirtypes';
import type { Hl7Message } from '../hl7v2/message.ts';
import type { Issue } from '../issue.ts';
import { isValid } from '../issue.ts';
import { type Compiled, compileFiles } from './compile.ts';
import type { MappingFile } from './document.ts';
import type { CompiledMessageMap } from './message-map.ts';
import type { Provenance } from './provenance.ts';
import { type Entry, Run, type UnmappedHeld, type Unresolved } from './run.ts';
import type { Table } from './tables.ts';
import { takeFalseUnits } from './units.ts';

export type { MappingFile } from './document.ts';
export type { Unresolved } from './run.ts';
export type { Provenance } from './provenance.ts';

interface MapOptions {
  /** Also say where every element came from. Costs about half as much again. */
  readonly provenance?: boolean;
  /**
   * The zone of times that state none, in a message whose MSH-7 states none: `+01:00` or `Europe/Berlin`.
   * Without it such times are reduced to their day, and a warning says so.
   */
  readonly zone?: string;
  /**
   * Told every rule that wrote or ignored something, as `PID.Patient#PID-5.name`, and every resource and reference that a
   * message map made, as `ADT_A01#patient`: for rule coverage.
   */
  readonly onRule?: (rule: string) => void;
}

export interface MappingResult {
  /** A transaction; null where nothing can be made of the message, which `issues` explain. */
  readonly resource: Bundle | null;
  readonly issues: readonly Issue[];
  /** Paths of populated source values that no rule took and none named as ignored. */
  readonly unconsumed: readonly string[];
  /** Codes for which the message is to wait: its resource must not go on. */
  readonly held: readonly UnmappedHeld[];
  /** Empty unless asked for. */
  readonly provenance: readonly Provenance[];
  /** References without a resource to refer to. Empty without provenance. */
  readonly unresolved: readonly Unresolved[];
}

/** Maps HL7 v2 messages to FHIR R4. Safe to share: it holds no state between messages. */
export interface Mapper {
  /**
   * Never throws for data. Deterministic: the same message gives the same Bundle, byte for byte; it depends
   * on nothing else but the mapping files and the options.
   */
  map(message: Hl7Message, options?: MapOptions): MappingResult;
  /** The message types that have a map: `ORU^R01`, or `ACK` for all of its triggers. */
  readonly messageTypes: readonly string[];
}

export type CompileResult =
  | {
      readonly ok: true;
      readonly mapper: Mapper;
      /** The code tables by id, with those of the layers over them. */
      readonly tables: ReadonlyMap<string, Table>;
    }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Compiles mapping files to a mapper, or gives everything that is wrong with them at once, each issue
 * located as `file:rule`. Files of layers are checked for form, and take effect in the order of `layers`.
 */
export function compileMappings(
  files: readonly MappingFile[],
  options: { readonly layers?: readonly string[] } = {},
): CompileResult {
  const issues: Issue[] = [];
  const compiled = compileFiles(files, options.layers ?? [], issues);
  if (!isValid(issues)) return { ok: false, issues };
  return { ok: true, mapper: buildMapper(compiled), tables: compiled.tables };
}

function buildMapper(compiled: Compiled): Mapper {
  const byType = new Map<string, CompiledMessageMap>();
  for (const map of compiled.messages) for (const type of map.messages) byType.set(type, map);
  return {
    messageTypes: [...byType.keys()],
    map: (message, options = {}) => {
      const map = findMap(message, byType);
      if (map === undefined) return toUnmapped(byType);
      const { provenance = false, zone, onRule } = options;
      const run = new Run(message, compiled.tables, { provenance, zone, onRule });
      const top = map.map(run);
      const units = takeFalseUnits(run.entries, () => {
        if (provenance) return run.entries;
        const again = new Run(message, compiled.tables, { provenance: true, zone });
        map.map(again);
        return again.entries;
      });
      run.issues.push(...units.issues);
      for (const finish of compiled.finishes) finish(run);
      const unconsumed = [...run.findUnconsumed(), ...units.unconsumed];
      if (run.entries.length === 0) run.issues.push(nothingMapped);
      const resource = run.entries.length === 0 ? null : toBundle(top, run.entries);
      return {
        resource,
        issues: run.issues,
        unconsumed,
        held: run.held,
        provenance: provenance && resource !== null ? toProvenance(run) : [],
        unresolved: toUnresolved(run),
      };
    },
  };
}

/**
 * By MSH-9.1 and 9.2, or EVN-1 as the trigger; else by the map for the code with whatever trigger (ACK). Where the
 * trigger is missing by the structure (MSH-9.3), else by the only map for the code.
 */
function findMap(
  message: Hl7Message,
  byType: ReadonlyMap<string, CompiledMessageMap>,
): CompiledMessageMap | undefined {
  const code = (message.get('MSH-9.1') ?? '').trim();
  const trigger = (message.get('MSH-9.2') || (message.get('EVN-1.1') ?? '')).trim();
  const exact = byType.get(`${code}^${trigger}`) ?? byType.get(code);
  if (exact !== undefined || trigger !== '') return exact;
  const structure = (message.get('MSH-9.3') ?? '').trim().replace('_', '^');
  const named = byType.get(structure);
  if (named !== undefined) return named;
  const found = new Set(
    [...byType].filter(([type]) => type.startsWith(`${code}^`)).map(([, map]) => map),
  );
  return found.size === 1 ? [...found][0] : undefined;
}

function toUnmapped(byType: ReadonlyMap<string, unknown>): MappingResult {
  const issue: Issue = {
    code: 'message-type-unmapped',
    severity: 'error',
    location: 'MSH-9',
    message:
      byType.size === 0
        ? 'There is no message map in the folder of mappings; `hilum mapping copy` makes such a folder.'
        : `There is no map for this message type; there are maps for ${[...byType.keys()].join(', ')}. ` +
          'Add a message map, or route the message elsewhere.',
  };
  return toNothing([issue]);
}

/** What becomes of a message of which nothing can be made. */
export function toNothing(issues: readonly Issue[]): MappingResult {
  return {
    resource: null,
    issues,
    ...{ unconsumed: [], held: [], provenance: [], unresolved: [] },
  };
}

const nothingMapped: Issue = {
  code: 'nothing-mapped',
  severity: 'error',
  message: 'The message has no segment that becomes a resource.',
};

function toBundle(top: Record<string, unknown>, entries: readonly Entry[]): Bundle {
  const bundle: Record<string, unknown> = {
    resourceType: 'Bundle',
    ...top,
    type: 'transaction',
    entry: entries.map(({ fullUrl, resource, request }) => ({ fullUrl, resource, request })),
  };
  return bundle as unknown as Bundle;
}

function toUnresolved({ entries, unresolved }: Run): Unresolved[] {
  if (unresolved.length === 0) return [];
  const places = new Map(entries.map((entry, index) => [entry, index]));
  return unresolved.map(({ entry, missing }) => ({
    ...missing,
    target: `Bundle.entry[${places.get(entry) ?? ''}].resource.${missing.target}`,
  }));
}

function toProvenance(run: Run): Provenance[] {
  const list: Provenance[] = [];
  for (const { target, source, rule } of run.trace ?? []) {
    list.push({ target: `Bundle.${target}`, source, rule });
  }
  run.entries.forEach((entry, index) => {
    for (const { target, source, rule } of entry.trace) {
      list.push({ target: `Bundle.entry[${index}].resource.${target}`, source, rule });
    }
  });
  return list;
}
