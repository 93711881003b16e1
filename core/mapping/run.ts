import type { BundleEntryRequest } from '@medplum/fhirtypes';
import type { Hl7Message, Segment } from '../hl7v2/message.ts';
import { parseTimestamp } from '../hl7v2/timestamp.ts';
import type { Issue } from '../issue.ts';
import { findUnconsumed } from './consumed.ts';
import { Fields } from './fields.ts';
import { mergeInto } from './same-resource.ts';
import { toUuid } from './sha1.ts';
import { type SourceValue, toLocation, toSegmentName } from './source.ts';
import type { Group } from './structure.ts';
import type { Table, UnmappedCode } from './tables.ts';
import type { Draft } from './target.ts';

/** Where a rule runs: in which group, on which segment, and in a datatype map on which value. */
export interface Frame {
  readonly run: Run;
  readonly group: Group;
  readonly segment: Segment | undefined;
  readonly value: SourceValue | undefined;
}

/** Where one element of the output came from; `target` is relative to what is being built. */
export interface TraceEntry {
  target: string;
  readonly source: string;
  readonly rule: string;
}

/** By what a resource is known: an id for this Bundle and the request that finds it again on the server. */
export interface Identity {
  readonly uuid: string;
  readonly request: BundleEntryRequest;
  /** For resources that have the element, and no identifier that could serve. */
  readonly identifier?: { readonly system: string; readonly value: string };
  /** For `id` requests. */
  readonly id?: string;
}

/** One resource of the Bundle. */
export interface Entry {
  readonly type: string;
  readonly uuid: string;
  readonly fullUrl: string;
  readonly request: BundleEntryRequest;
  readonly resource: Draft;
  readonly trace: TraceEntry[];
}

/** What is to become an entry, with the frame in which it was made. */
interface NewEntry {
  readonly type: string;
  readonly content: Draft;
  readonly identity: Identity;
  readonly trace: TraceEntry[];
  readonly frame: Frame;
}

/** A reference that was not written, since the message has nothing to refer to. */
export interface Unresolved {
  /** `Bundle.entry[3].resource.subject`. */
  readonly target: string;
  /** The label of the resource that there is none of: `patient`. */
  readonly resource: string;
  /** From which segments it is made: `PID`. */
  readonly segments: readonly string[];
  /** `ADT_A01#condition.subject`: the map and the reference in it. */
  readonly rule: string;
}

/** A reference of an entry for which the message has no resource; its target is relative to the entry. */
export interface UnresolvedReference {
  readonly entry: Entry;
  readonly missing: Unresolved;
}

/** Entries of one label, each once, in order: a message may hold tens of thousands. */
class Labelled {
  readonly list: Entry[] = [];
  #known: Set<Entry> | undefined;

  /** False where it is there already. */
  add(entry: Entry): boolean {
    const { list } = this;
    if (list.length < 8) {
      if (list.includes(entry)) return false;
    } else {
      this.#known ??= new Set(list);
      if (this.#known.has(entry)) return false;
      this.#known.add(entry);
    }
    list.push(entry);
    return true;
  }
}

/** A code for which the message waits, since a rule or table says `hold`. */
export interface UnmappedHeld extends UnmappedCode {
  /** The id of the table that lacks it. */
  readonly table: string;
  readonly map: string;
  readonly rule: string;
  readonly location?: string;
}

/** Free text in the place of a code may be about a patient: it is not shown. */
export const isLikeCode = (code: string): boolean => /^[\w.:/+-]{1,20}$/.test(code);

/** What looks like a code is named. */
export const toShown = (code: string): string => (isLikeCode(code) ? `"${code}"` : 'this code');

/** The state of mapping one message. Nothing of it outlives the message. */
export class Run {
  readonly message: Hl7Message;
  readonly entries: Entry[] = [];
  readonly issues: Issue[] = [];
  readonly held: UnmappedHeld[] = [];
  /** Kept while provenance is. */
  readonly unresolved: UnresolvedReference[] = [];
  /** Where rules write provenance: undefined while it is switched off. */
  trace: TraceEntry[] | undefined;
  /** Whether rules say what they do. */
  readonly isTraced: boolean;
  /** Told the name of every rule that wrote or ignored something. */
  readonly onRule: ((rule: string) => void) | undefined;
  readonly #tables: ReadonlyMap<string, Table>;
  /** By UUID, which is made from the type too. */
  readonly #byIdentity = new Map<string, Entry>();
  readonly #labels = new Map<Group, Map<string, Labelled>>();
  readonly #fields = new Map<Segment, Fields>();
  readonly #ofHeader = new Map<(frame: Frame) => string, string>();
  readonly #numbers = new Map<string, number>();
  readonly #heldCodes = new Set<string>();
  readonly #told = new Set<string>();
  readonly #zone: string | undefined;
  #zoneReported = false;
  #messageUuid: string | undefined;

  constructor(message: Hl7Message, tables: ReadonlyMap<string, Table>, options: RunOptions) {
    this.message = message;
    this.#tables = tables;
    this.onRule = options.onRule;
    this.trace = options.provenance ? [] : undefined;
    this.isTraced = options.provenance || options.onRule !== undefined;
    this.#zone = parseTimestamp((message.get('MSH-7.1') ?? '').trim())?.offset ?? options.zone;
  }

  /** Made from the whole text: equal for a redelivery, and for nothing else. */
  get messageUuid(): string {
    return (this.#messageUuid ??= toUuid(this.message.text));
  }

  table(id: string): Table | undefined {
    return this.#tables.get(id);
  }

  /** The zone of times that state none: that of MSH-7, else the configured one; none is reported once. */
  zone(): string | undefined {
    if (this.#zone === undefined && !this.#zoneReported) {
      this.#zoneReported = true;
      this.issues.push({
        code: 'time-zone-unknown',
        severity: 'warning',
        location: 'MSH-7',
        message:
          'Times without a zone were reduced to their day, or left out where FHIR takes no day: FHIR needs a zone, and MSH-7 states none. ' +
          'Configure the zone of the sender, or let it send one in MSH-7.',
      });
    }
    return this.#zone;
  }

  /** The message waits for the code; one code of one table is one reason, wherever it stands. */
  hold(held: UnmappedHeld): void {
    const { table, system, code, location } = held;
    const at = location === undefined ? {} : { location };
    const key = JSON.stringify([table, system, code]);
    if (this.#heldCodes.has(key)) return;
    this.#heldCodes.add(key);
    this.held.push(held);
    this.issues.push({
      code: 'code-unmapped-held',
      severity: 'error',
      ...at,
      message: `Table ${table} has no entry for ${toShown(code)}; the message waits for it. Add the code to the table and deploy.`,
    });
  }

  /** Reports what the message gives the same reason for again and again, once for a key. */
  tellOnce(key: string, issue: Issue): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.issues.push(issue);
  }

  /** The fields of a segment of the message. */
  fields(segment: Segment): Fields {
    let fields = this.#fields.get(segment);
    if (fields === undefined) {
      fields = new Fields(this.message, segment);
      this.#fields.set(segment, fields);
    }
    return fields;
  }

  /** Paths of the populated values that no rule has taken so far. */
  findUnconsumed(): string[] {
    return findUnconsumed(this.message, (segment) => this.fields(segment));
  }

  /** What is read of the header alone is read once; where there are several headers, each time. */
  remember(read: (frame: Frame) => string, frame: Frame): string {
    const known = this.#ofHeader.get(read);
    if (known !== undefined) return known;
    const found = read(frame);
    if (this.message.segmentsNamed('MSH').length === 1) this.#ofHeader.set(read, found);
    return found;
  }

  /** The name, numbered by how often it was asked for in this message. */
  number(name: string): string {
    const occurrence = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, occurrence);
    return `${name}#${occurrence}`;
  }

  /** Puts a resource into the Bundle, begun as {@link beginResource} does; one that is there already only gets what it lacks. */
  addEntry({ type, content, identity, trace, frame }: NewEntry): Entry {
    const known = this.#byIdentity.get(identity.uuid);
    if (known !== undefined) {
      const { added, moved, leftOut } = mergeInto(known.resource, content);
      if (trace.length > 0) {
        known.trace.push(
          ...trace.filter(({ target }) => added.some((path) => isIn(target, path))),
          ...trace.flatMap((entry) => moveEntry(entry, moved)),
        );
      }
      for (const path of leftOut) this.#reportLeftOut(known, path, frame);
      return known;
    }
    if (identity.identifier !== undefined) {
      const list = (content['identifier'] ??= []) as unknown[];
      list.push(identity.identifier);
    }
    const entry: Entry = {
      type,
      uuid: identity.uuid,
      fullUrl: `urn:uuid:${identity.uuid}`,
      request: identity.request,
      resource:
        identity.id === undefined ? content : { resourceType: type, id: identity.id, ...content },
      trace,
    };
    this.#byIdentity.set(identity.uuid, entry);
    this.entries.push(entry);
    return entry;
  }

  /** Once of each element of a resource, however often the message says it. */
  #reportLeftOut({ type, uuid }: Entry, path: string, { segment, value }: Frame): void {
    const location = value === undefined ? segment && toSegmentName(segment) : toLocation(value);
    this.tellOnce(`${uuid} ${path}`, {
      code: 'value-left-out',
      severity: 'information',
      ...(location === undefined ? {} : { location }),
      message:
        `${type}.${path}: expected what the message has said of the same ${type} before, found something else: it was left ` +
        'out. Let the sender say the same of it, or give another one another identifier.',
    });
  }

  /** Makes the entry known by its label in its group and all around it. */
  label(name: string, entry: Entry, group: Group): void {
    for (let at: Group | undefined = group; at !== undefined; at = at.parent) {
      // Where it is known it is known all around too.
      if (!this.#openLabel(name, at).add(entry)) return;
    }
  }

  #openLabel(name: string, group: Group): Labelled {
    let labels = this.#labels.get(group);
    if (labels === undefined) this.#labels.set(group, (labels = new Map<string, Labelled>()));
    let labelled = labels.get(name);
    if (labelled === undefined) labels.set(name, (labelled = new Labelled()));
    return labelled;
  }

  /** All entries with that label in the group and the groups within. */
  labelled(name: string, group: Group): readonly Entry[] {
    return this.#labels.get(group)?.get(name)?.list ?? [];
  }

  /** The nearest entry with that label, outward. */
  findEntry(name: string, group: Group): Entry | undefined {
    for (let at: Group | undefined = group; at !== undefined; at = at.parent) {
      const found = this.labelled(name, at).at(-1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** What becomes a resource; its type stands in front of all else. */
export const beginResource = (resourceType: string): Draft => ({ resourceType });

/** Whether anything was written since it was begun. */
export function hasContent(resource: Draft): boolean {
  for (const key in resource) if (key !== 'resourceType') return true;
  return false;
}

export interface RunOptions {
  readonly provenance: boolean;
  /** `+01:00` or `Europe/Berlin`. */
  readonly zone?: string | undefined;
  readonly onRule?: ((rule: string) => void) | undefined;
}

/** The entry of an identifier that was added, where it now stands. */
function moveEntry(entry: TraceEntry, moved: ReadonlyMap<number, number>): TraceEntry[] {
  const [whole = '', index] = /^identifier\[(\d+)\]/.exec(entry.target) ?? [];
  const place = index === undefined ? undefined : moved.get(Number(index));
  if (place === undefined) return [];
  return [{ ...entry, target: `identifier[${place}]${entry.target.slice(whole.length)}` }];
}

/** Whether a target is at a path or within. */
const isIn = (target: string, path: string): boolean =>
  target.startsWith(path) &&
  (target.length === path.length || /[.[]/.test(target[path.length] ?? ''));
