import type { Definitions, StructureItem, VersionDefinitions } from './definitions/definitions.ts';
import { findVersion } from './definitions/versions.ts';
import type { Hl7Message, Segment } from './message.ts';
import type { GroupNode } from './segment-choice.ts';
import { findAutomaton, type StructureNode } from './validate/automaton.ts';
import { explain } from './validate/explain.ts';

/** A group that segments are still put into. */
interface OpenGroup {
  readonly node: StructureNode;
  readonly group: { readonly name: string; segments: Segment[]; groups: GroupNode[] };
}

/**
 * Divides a message by the structure of its event in its version (else the one that MSH-9.3 names): undefined
 * where that is not known. The likeliest reading counts where segments are missing or misplaced; a segment that
 * has no place, a Z segment most often, belongs to the group of the one before it.
 */
export function findGroups(
  message: Hl7Message,
  definitions: Definitions | VersionDefinitions,
): GroupNode | undefined {
  const structure = findMessageStructure(message, definitions);
  return structure === undefined ? undefined : divide(message, structure);
}

function findMessageStructure(
  message: Hl7Message,
  definitions: Definitions | VersionDefinitions,
): StructureItem | undefined {
  const read = (path: string): string => message.get(path) ?? '';
  const chosen =
    'of' in definitions ? definitions.of(findVersion(message.version) ?? '2.8.2') : definitions;
  const byEvent = chosen.findStructureName(read('MSH-9.1'), read('MSH-9.2'));
  return chosen.findStructure(byEvent ?? '') ?? chosen.findStructure(read('MSH-9.3'));
}

function divide(message: Hl7Message, structure: StructureItem): GroupNode {
  const automaton = findAutomaton(structure);
  const parts = message.segments.filter(({ name }) => automaton.names.has(name));
  const { placements } = explain(
    automaton,
    parts.map(({ name }) => name),
  );
  const root: OpenGroup = open(automaton.root);
  const path: OpenGroup[] = [root];
  let next = 0;
  for (const segment of message.segments) {
    const placement = parts[next] === segment ? placements[next++] : undefined;
    const { route } = placement ?? {};
    const node = automaton.places[route?.to ?? -1]?.node;
    if (route !== undefined && node !== undefined) {
      path.length = route.common.depth + 1;
      for (const around of findWay(node.parent, route.common)) {
        const inner = open(around);
        path.at(-1)?.group.groups.push(inner.group);
        path.push(inner);
      }
    }
    path.at(-1)?.group.segments.push(segment);
  }
  return root.group;
}

function open(node: StructureNode): OpenGroup {
  return { node, group: { name: node.item.name, segments: [], groups: [] } };
}

/** The groups from below `outer` down to `inner`, which includes it. */
function findWay(inner: StructureNode | undefined, outer: StructureNode): readonly StructureNode[] {
  const way: StructureNode[] = [];
  for (let at = inner; at !== undefined && at !== outer; at = at.parent) way.push(at);
  return way.reverse();
}
