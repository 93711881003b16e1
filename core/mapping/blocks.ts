import type { MapDocument, PartDocument, ResourceDocument } from './document.ts';
import type { Located } from './parse-files.ts';

/** Reports a problem at a file, or at a thing in it. */
type Report = (location: string, message: string) => void;

type Maps = ReadonlyMap<string, Located<MapDocument>>;

/**
 * A map with what its blocks say in the place of each `include`: every resource knows the blocks that it came with. A
 * map that includes nothing, and a block, is the same as before.
 */
export function expandBlocks(
  located: Located<MapDocument>,
  maps: Maps,
  report: Report,
): Located<MapDocument> {
  const { path, document } = located;
  if (document.kind !== 'MessageMap') return located;
  const fail = (message: string): void => report(path, message);
  return {
    ...located,
    document: { ...document, resources: expand(document.resources, { maps, fail, blocks: [] }) },
  };
}

interface Expanding {
  readonly maps: Maps;
  readonly fail: (message: string) => void;
  /** Outermost first. */
  readonly blocks: readonly string[];
}

function expand(parts: readonly PartDocument[], expanding: Expanding): readonly PartDocument[] {
  const { maps, fail, blocks } = expanding;
  return parts.flatMap((part): readonly PartDocument[] => {
    if ('forEach' in part) return [{ ...part, resources: expand(part.resources, expanding) }];
    if (!('include' in part)) return [blocks.length === 0 ? part : { ...part, blocks }];
    const { include } = part;
    const block = maps.get(include)?.document;
    if (block?.kind !== 'MessageBlock') fail(`include: there is no block ${include}`);
    else if (blocks.includes(include)) fail(`include: ${include} includes itself`);
    else return expand(block.resources, { ...expanding, blocks: [...blocks, include] });
    return [];
  });
}

/** The resources of a map, whatever groups they stand in; what it includes is not looked into. */
export function listResources(parts: readonly PartDocument[]): readonly ResourceDocument[] {
  return parts.flatMap((part) => {
    if ('forEach' in part) return listResources(part.resources);
    return 'include' in part ? [] : [part];
  });
}

/** The ids of the blocks that a map includes itself. */
export function listIncludes(parts: readonly PartDocument[]): readonly string[] {
  return parts.flatMap((part) => {
    if ('forEach' in part) return listIncludes(part.resources);
    return 'include' in part ? [part.include] : [];
  });
}
