import type { PartDocument, ResourceDocument } from './document.ts';
import type { Group } from './structure.ts';

type OnRule = (rule: string) => void;

/** `ADT_A01#include visit`: that a map, or a block, has something of a block. */
export const toIncludeName = (owner: string, block: string): string => `${owner}#include ${block}`;

/** `patient#patient PD1.Patient`: that a segment that the map is for had a part in the resource. */
export const toUseName = (resource: string, map: string): string => `${resource} ${map}`;

/** The names of a resource, or of a reference of it, in the map and in the block that it was included with. */
function toNames(mapId: string, id: string, blocks: readonly string[]): readonly string[] {
  const block = blocks.at(-1);
  return [mapId, ...(block === undefined ? [] : [block])].map((owner) => `${owner}#${id}`);
}

/** Tells, where somebody asks which parts of a message map had a part, that this reference was written. */
export function toReferenceTeller(
  mapId: string,
  reference: string,
  { blocks = [] }: ResourceDocument,
): (onRule: OnRule) => void {
  const names = toNames(mapId, reference, blocks);
  return (onRule) => {
    for (const name of names) onRule(name);
  };
}

/**
 * As {@link toReferenceTeller}, that this resource was made, of the segments of a group: with which of its maps, and
 * what was included for it.
 */
export function toResourceTeller(
  mapId: string,
  { id, blocks = [] }: ResourceDocument,
  maps: readonly { readonly id: string; readonly source: string }[],
): (onRule: OnRule, group: Group) => void {
  const names = toNames(mapId, id, blocks);
  const includes = blocks.map((block, at) => toIncludeName(blocks[at - 1] ?? mapId, block));
  return (onRule, { segments }) => {
    for (const name of [...names, ...includes]) onRule(name);
    for (const map of maps) {
      if (!segments.some((segment) => segment.name === map.source)) continue;
      for (const name of names) onRule(toUseName(name, map.id));
    }
  };
}

/** Ids are one of a map; what a block that is included twice says, and a list that is only referred to, is there twice. */
export function checkIds(
  parts: readonly PartDocument[],
  report: (message: string, rule?: string) => void,
): void {
  const known = new Map<string, object>();
  const check = (id: string, what: object, isAgain: (other: object) => boolean): void => {
    const other = known.get(id);
    if (other !== undefined && !isAgain(other)) {
      report('There is another resource or reference with this id in the map', id);
    }
    known.set(id, what);
  };
  const visit = (part: PartDocument): void => {
    if ('include' in part) return;
    if ('forEach' in part) {
      part.resources.forEach(visit);
      return;
    }
    const block = part.blocks?.at(-1);
    const isOfBlock = (other: object): boolean =>
      block !== undefined && (other as ResourceDocument).blocks?.at(-1) === block;
    check(part.id, part, isOfBlock);
    for (const reference of part.references ?? []) {
      check(reference.id, reference, (other) => other === reference);
    }
  };
  parts.forEach(visit);
}
