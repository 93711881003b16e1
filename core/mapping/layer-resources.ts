import type { PartDocument, ResourceDocument } from './document.ts';

/** Reports a problem of one rule of a layer's file. */
type ReportRule = (rule: string, message: string) => void;

/**
 * The resources of a message map or block with those of one layer: replaced or disabled by id wherever they stand, or
 * added at the end. A reference is disabled by its id too.
 */
export function applyResources(
  base: readonly PartDocument[],
  layer: readonly PartDocument[],
  report: ReportRule,
): readonly PartDocument[] {
  let parts = base;
  for (const over of layer) {
    if (!('id' in over) || over.override === undefined) {
      parts = [...parts, over];
      continue;
    }
    const changed = change(parts, over);
    if (changed === parts) {
      const what = over.override === 'disable' ? 'resource or reference' : 'resource';
      report(over.id, `override: ${over.override}, but the map has no ${what} with this id`);
    }
    parts = changed;
  }
  return parts;
}

/** The same list where nothing in it has the id. */
function change(parts: readonly PartDocument[], over: ResourceDocument): readonly PartDocument[] {
  const isDisabled = over.override === 'disable';
  const changed = parts.flatMap((part): readonly PartDocument[] => {
    if ('include' in part) return [part];
    if ('forEach' in part) {
      const inner = change(part.resources, over);
      return [inner === part.resources ? part : { ...part, resources: inner }];
    }
    if (part.id === over.id) return isDisabled ? [] : [over];
    const references = part.references?.filter(({ id }) => !isDisabled || id !== over.id);
    const isSame = references === undefined || references.length === part.references?.length;
    return [isSame ? part : { ...part, references }];
  });
  const isSame = changed.length === parts.length && changed.every((part, at) => part === parts[at]);
  return isSame ? parts : changed;
}
