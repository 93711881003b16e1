import { listResources } from './blocks.ts';
import type {
  GroupDocument,
  MapDocument,
  MessageMapDocument,
  ResourceDocument,
} from './document.ts';

/** Reports a problem of a map, and of which of its resources or references. */
type Report = (message: string, rule?: string) => void;

/** The labels of each message map as it is before layers: what a layer takes away may still be named. */
export class KnownLabels {
  readonly #byMap = new Map<string, Set<string>>();

  add(document: MapDocument): void {
    if (document.kind !== 'MessageMap') return;
    const labels = this.#byMap.get(document.id) ?? new Set();
    for (const { id, as = id } of listResources(document.resources)) labels.add(as);
    this.#byMap.set(document.id, labels);
  }

  /**
   * Reports what a message map names and nothing in it is: groups that its structure does not have there, resources
   * that it does not have. A block may refer to what not every map has that includes it; that reference is not written.
   */
  check(document: MapDocument, report: Report): void {
    if (document.kind !== 'MessageMap') return;
    const labels = this.#byMap.get(document.id) ?? new Set();
    const outermost = { name: 'MESSAGE', opens: [], groups: document.structure?.groups ?? [] };
    checkParts(document.resources, { within: [[outermost]], labels, report });
  }
}

interface Place {
  /** The groups that a part may stand in and those around them, innermost first: several may have the same name. */
  readonly within: readonly (readonly GroupDocument[])[];
  readonly labels: ReadonlySet<string>;
  readonly report: Report;
}

function checkParts(parts: MessageMapDocument['resources'], place: Place): void {
  for (const part of parts) {
    if ('include' in part) continue;
    if (!('forEach' in part)) {
      checkResource(part, place);
      continue;
    }
    const inner = (place.within[0] ?? [])
      .flatMap(({ groups = [] }) => groups)
      .filter(({ name }) => name === part.forEach);
    if (inner.length > 0) {
      checkParts(part.resources, { ...place, within: [inner, ...place.within] });
    } else {
      const around = place.within[0]?.[0]?.name ?? '';
      place.report(`forEach: the structure has no group ${part.forEach} in ${around}`);
    }
  }
}

function checkResource(part: ResourceDocument, { within, labels, report }: Place): void {
  const { id, blocks, references = [] } = part;
  const hasGroup = (name: string): boolean => within.some((groups) => groups[0]?.name === name);
  const label = (word: string, name: string | undefined, rule: string): void => {
    if (name !== undefined && !labels.has(name))
      report(`${word}: there is no resource ${name}`, rule);
  };
  const group = (name: string | undefined, rule: string): void => {
    if (name !== undefined && !hasGroup(name)) {
      report(`within: it does not stand in a group ${name}`, rule);
    }
  };
  label('needs', part.needs, id);
  label('apart', part.apart, id);
  label('extend', part.extend, id);
  const { within: always = [], by = [], and = [] } = part.identity?.key ?? {};
  for (const key of [...always, ...by.flat(), ...and]) {
    if (key.startsWith('@')) label('key', key.slice(1), id);
  }
  group(part.within, id);
  for (const { id: rule, resource, within: name } of references) {
    if (blocks === undefined) label('resource', resource, rule);
    group(name, rule);
  }
}
