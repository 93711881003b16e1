import type { FlowNode } from '../../core/interface.ts';
import { unmappedPolicies, type UnmappedPolicy } from '../../core/mapping/document.ts';
import { textOf } from './contribution.ts';
import { resolveEnv, type Environment } from './environment.ts';
import { layerNames } from './fields.ts';

/** What a node that may hold messages says about tables. */
export interface HoldingNode {
  readonly layers: readonly string[];
  /** Of a node that asks one table by itself. */
  readonly table?: string;
  readonly onUnmapped?: UnmappedPolicy;
}

/** Reads a node as the editor stores it; undefined where it holds no messages, or its layers cannot be read. */
export function readHoldingNode(node: FlowNode, env: Environment): HoldingNode | undefined {
  const find = (name: string): string => resolveEnv(textOf(node[name]), env);
  const layers = layerNames(find('layers'));
  if (!layers.ok) return undefined;
  switch (node.type) {
    case 'hl7 map':
    case 'fhir map':
      return { layers: layers.value };
    case 'code translate': {
      const stated = find('onUnmapped');
      const onUnmapped = unmappedPolicies.find((policy) => policy === stated);
      const policy = onUnmapped === undefined ? {} : { onUnmapped };
      return { layers: layers.value, table: find('table'), ...policy };
    }
    default:
      return undefined;
  }
}
