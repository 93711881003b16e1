import {
  type ConceptMapDocument,
  type UnmappedPolicy,
  preferredExtension,
  unmappedExtension,
  unmappedPolicies,
} from './document.ts';
import { type Draft, isPlainObject } from './target.ts';

/** What a table says of a code. */
export interface Translation {
  readonly code: string;
  readonly display?: string;
  readonly system?: string;
}

/** A code table: a FHIR ConceptMap, ready to be asked. */
export class Table {
  readonly id: string;
  /** The systems whose codes it holds; where none is named, those of any system. */
  readonly sources = new Set<string>();
  /** The systems whose codes it gives. */
  readonly targets = new Set<string>();
  readonly #preferred = new Map<string, string>();
  readonly #codes = new Map<string, Translation>();
  /** The codes that it speaks of, each with its system where the table names one. */
  readonly #decided = new Map<string, string | undefined>();
  readonly #fixed: Translation | undefined;
  readonly policy: UnmappedPolicy;

  /** `layers`: tables of the same id that decide before it, the last of them first. */
  constructor(document: ConceptMapDocument, layers: readonly ConceptMapDocument[] = []) {
    this.id = document.id;
    let policy: UnmappedPolicy | undefined;
    let fixed: Translation | undefined;
    for (const one of [document, ...layers].reverse()) {
      this.#addCodes(one);
      // What the uppermost says of all other codes counts, the policy or the code.
      if (policy !== undefined || fixed !== undefined) continue;
      fixed = findFixed(one);
      policy = findPolicy(one);
    }
    this.#fixed = fixed;
    this.policy = policy ?? 'omit';
  }

  /** Codes that a table above has decided about, even to have no target, are left as they are. */
  #addCodes({ group }: ConceptMapDocument): void {
    for (const { source, target: targetSystem, element } of group) {
      if (source !== undefined) this.sources.add(source);
      if (targetSystem !== undefined) this.targets.add(targetSystem);
      const system = targetSystem === undefined ? {} : { system: targetSystem };
      for (const { code, target } of element) {
        const { code: to, display, extension } = target?.[0] ?? {};
        if (to !== undefined && isPreferred(extension) && !this.#preferred.has(to)) {
          this.#preferred.set(to, code);
        }
        if (to === undefined || this.#decided.has(code) || this.#codes.has(code)) continue;
        this.#codes.set(code, {
          code: to,
          ...(display === undefined ? {} : { display }),
          ...system,
        });
      }
    }
    for (const { source, element } of group) {
      for (const { code } of element) if (!this.has(code)) this.#decided.set(code, source);
    }
  }

  /** What the code becomes; undefined where the table does not hold it. */
  find(code: string): Translation | undefined {
    return this.#codes.get(code);
  }

  /** Whether the table speaks of the code, be it to say that it has no target. */
  has(code: string): boolean {
    return this.#decided.has(code);
  }

  /** The system of a code that the table speaks of; undefined where it names none. */
  findSystem(code: string): string | undefined {
    return this.#decided.get(code);
  }

  /**
   * The code that becomes this one, of several the preferred one, else the one that stands first: `LN` for
   * `http://loinc.org`. With a system, only one that becomes a code of that.
   */
  findSource(target: string, system?: string): string | undefined {
    const preferred = this.#preferred.get(target);
    if (preferred !== undefined) return preferred;
    for (const [code, { code: to, system: of }] of this.#codes) {
      if (to === target && (system === undefined || of === system)) return code;
    }
    return undefined;
  }

  /** Whether no two codes become the same, nor any the code for everything else. */
  get isInjective(): boolean {
    const targets = new Set<string>();
    for (const { code, system } of this.#codes.values()) targets.add(`${system ?? ''}|${code}`);
    return targets.size === this.#codes.size && this.#fixed === undefined;
  }

  /** Whether it is the code for everything else. */
  isFixed(target: string): boolean {
    return this.#fixed?.code === target;
  }

  /** As `find`, with the code for everything else where the table names one. */
  translate(code: string): Translation | undefined {
    return this.#codes.get(code) ?? this.#fixed;
  }
}

/** Why a code was left out, and what to do; `shown` is what may be said of it. */
export function toLeftOut(table: Table, code: string, shown: string): string {
  return table.has(code)
    ? `Table ${table.id} has no target for ${shown}; it was left out. Give it one in a table of a layer, or ignore the field.`
    : `Table ${table.id} has no entry for ${shown}; it was left out. Add the code to the table.`;
}

const isPreferred = (extension: TargetExtension): boolean =>
  extension?.some(
    ({ url, valueBoolean }) => url === preferredExtension && valueBoolean === true,
  ) === true;

type TargetExtension =
  readonly { readonly url: string; readonly valueBoolean?: boolean }[] | undefined;

/** The code for everything else, where the table names one. */
function findFixed({ group }: ConceptMapDocument): Translation | undefined {
  const found = group.findLast(({ unmapped }) => unmapped?.code !== undefined);
  const code = found?.unmapped?.code;
  if (code === undefined) return undefined;
  return { code, ...(found?.target === undefined ? {} : { system: found.target }) };
}

function findPolicy({ extension, group }: ConceptMapDocument): UnmappedPolicy | undefined {
  const stated = extension?.find(({ url }) => url === unmappedExtension)?.valueCode;
  const policy = unmappedPolicies.find((known) => known === stated);
  if (policy !== undefined) return policy;
  return group.some(({ unmapped }) => unmapped?.mode === 'provided') ? 'keep' : undefined;
}

/** What became of a Coding or CodeableConcept that was put to a table. */
export type Translated = 'translated' | 'kept' | 'unmapped';

/**
 * Translates the first coding in place, and each other one that is of a system the table is for, or names none where
 * the first names none either. A code that changes keeps its original coding behind the new ones; one that the table
 * has without a target is told to be of its system; a coding of a system that the table is not for is left alone.
 */
export function translateConcept(concept: Draft, table: Table): Translated {
  const list = concept['coding'];
  if (!isList(list)) {
    const coding = translateCoding(concept, table);
    if (typeof coding === 'string') {
      nameSystem(concept, table);
      return coding;
    }
    // Nothing of the old coding may stay that the new one does not have.
    if (coding['display'] === undefined) delete concept['display'];
    if (coding['version'] === undefined) delete concept['version'];
    Object.assign(concept, coding);
    return 'translated';
  }
  const [first, ...others] = list;
  if (!isPlainObject(first)) return 'kept';
  // CE and CWE define their alternate components as the first ones: without a system both are of the field's table.
  const isBare = first['system'] === undefined;
  const coding = translateCoding(first, table);
  if (typeof coding !== 'string') replaceCoding(list, first, coding);
  else nameSystem(first, table);
  for (const other of others) {
    if (isPlainObject(other) && isKnown(other, table, isBare)) {
      const alternate = translateCoding(other, table);
      if (typeof alternate !== 'string') replaceCoding(list, other, alternate);
    }
  }
  return typeof coding === 'string' ? coding : 'translated';
}

/** A code without a system is of the one that the table has it in, be it to say that it has no target. */
function nameSystem(coding: Draft, table: Table): void {
  const { system, code } = coding;
  if (system !== undefined || typeof code !== 'string') return;
  const source = table.findSystem(code);
  if (source !== undefined) coding['system'] = source;
}

/** The coding as the table has it, or why it stays as it is. */
function translateCoding(coding: Draft, table: Table): Draft | Exclude<Translated, 'translated'> {
  const { system, code } = coding;
  if (typeof code !== 'string') return 'kept';
  if (typeof system === 'string' && table.sources.size > 0 && !table.sources.has(system)) {
    return 'kept';
  }
  const found = table.translate(code);
  if (found === undefined) return 'unmapped';
  const { display, version, ...rest } = coding;
  const name = found.code === code ? (display ?? found.display) : found.display;
  return {
    ...rest,
    ...(found.system === undefined ? {} : { system: found.system }),
    ...(version === undefined || found.system !== system ? {} : { version }),
    code: found.code,
    ...(name === undefined ? {} : { display: name }),
  };
}

/** Not where another code has become the same already. */
function replaceCoding(list: unknown[], coding: Draft, translated: Draft): void {
  const isThere = list.some((one) => one !== coding && isSameCode(one, translated));
  if (isThere) return;
  list[list.indexOf(coding)] = translated;
  const isChanged = translated['code'] !== coding['code'];
  if (isChanged && typeof coding['system'] === 'string') list.push(coding);
}

/** Whether the table holds a coding that is not the first: of a system that it is for, and by its code, not as any other. */
function isKnown({ system, code }: Draft, table: Table, isBare: boolean): boolean {
  if (typeof code !== 'string' || table.find(code) === undefined) return false;
  if (typeof system !== 'string') return isBare;
  return table.sources.size === 0 || table.sources.has(system);
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

const isSameCode = (one: unknown, { system, code }: Draft): boolean =>
  isPlainObject(one) && one['code'] === code && one['system'] === system;

/** A code that a table does not hold, with its system where the message names one. */
export interface UnmappedCode {
  readonly code: string;
  readonly system?: string;
  /** Its name there. */
  readonly display?: string;
}

/** The first coding of a Coding or CodeableConcept, which is the one that is translated. */
export function findCoding(concept: Draft): UnmappedCode {
  const list = concept['coding'];
  const coding: unknown = Array.isArray(list) ? list[0] : concept;
  const { code, system, display = concept['text'] } = isPlainObject(coding) ? coding : {};
  return {
    code: typeof code === 'string' ? code : '',
    ...(typeof system === 'string' ? { system } : {}),
    ...(typeof display === 'string' ? { display } : {}),
  };
}
