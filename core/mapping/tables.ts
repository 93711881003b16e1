import type { ConceptMapDocument, UnmappedPolicy } from './document.ts';
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
  readonly sources = new Set<string>();
  readonly #codes = new Map<string, Translation>();
  readonly #fixed: Translation | undefined;
  readonly policy: UnmappedPolicy;

  constructor(document: ConceptMapDocument) {
    this.id = document.id;
    let keep = false;
    let fixed: Translation | undefined;
    for (const group of document.group) {
      if (group.source !== undefined) this.sources.add(group.source);
      const system = group.target === undefined ? {} : { system: group.target };
      for (const element of group.element) {
        const target = element.target?.[0];
        if (target?.code === undefined || this.#codes.has(element.code)) continue;
        const display = target.display === undefined ? {} : { display: target.display };
        this.#codes.set(element.code, { code: target.code, ...display, ...system });
      }
      if (group.unmapped?.mode === 'provided') keep = true;
      if (group.unmapped?.code !== undefined) fixed = { code: group.unmapped.code, ...system };
    }
    this.#fixed = fixed;
    this.policy = keep ? 'keep' : 'omit';
  }

  /** What the code becomes; undefined where the table does not hold it. */
  find(code: string): Translation | undefined {
    return this.#codes.get(code);
  }

  /** As `find`, with the code for everything else where the table names one. */
  translate(code: string): Translation | undefined {
    return this.#codes.get(code) ?? this.#fixed;
  }
}

/** What became of a Coding or CodeableConcept that was put to a table. */
export type Translated = 'translated' | 'kept' | 'unmapped';

/**
 * Translates the first coding in place. A code that changes keeps its original coding behind the new one;
 * a coding of a system that the table is not for is left alone.
 */
export function translateConcept(concept: Draft, table: Table): Translated {
  const list = concept['coding'];
  const coding: unknown = Array.isArray(list) ? list[0] : concept;
  if (!isPlainObject(coding) || typeof coding['code'] !== 'string') return 'kept';
  const { system, code } = coding;
  if (typeof system === 'string' && !table.sources.has(system)) return 'kept';
  const found = table.translate(code);
  if (found === undefined) return 'unmapped';
  const display = found.code === code ? (coding['display'] ?? found.display) : found.display;
  const translated: Draft = {
    ...coding,
    ...(found.system === undefined ? {} : { system: found.system }),
    code: found.code,
  };
  if (display === undefined) delete translated['display'];
  else translated['display'] = display;
  if (found.system !== system) delete translated['version'];
  if (Array.isArray(list)) {
    list[0] = translated;
    if (found.code !== code && typeof system === 'string') list.push(coding);
  } else {
    Object.assign(concept, translated);
  }
  return 'translated';
}
