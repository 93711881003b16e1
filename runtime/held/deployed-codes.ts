import { readMappingFiles } from '../../connectors/file/mapping-files.ts';
import type { HeldCode, TableRow } from '../../core/held-code.ts';
import { buildIsAwaited } from '../../core/mapping/awaited.ts';
import { buildMappings } from '../../core/mapping/mappings.ts';
import { buildFindTableRow } from '../../core/mapping/table-row.ts';
import { readHoldingNode, type HoldingNode } from '../../nodes/definitions.ts';
import type { Deployed } from '../deploy/deployed.ts';

/** What is deployed, as whoever waits for a code asks it. */
export interface DeployedCodes {
  /** Whether a message would wait for the code still; not where the node that holds is no more, or asks otherwise. */
  isAwaited(held: HeldCode): boolean;
  /** Where it is best added; undefined where there is no such table, or the node that holds is no more. */
  findRow(held: HeldCode): TableRow | undefined;
}

type Environment = Readonly<Record<string, string>>;

/** Rejects, and its methods throw, with HilumError (permanent) where the files cannot be read or are faulty. */
async function readDeployedCodes(
  { flows, mappings: { directory } }: Deployed,
  environment: Environment,
): Promise<DeployedCodes> {
  const files = await readMappingFiles(directory);
  const mappings = buildMappings(() => files);
  const isAwaited = buildIsAwaited(files, mappings);
  const findRow = buildFindTableRow(files);
  const nodes = new Map(flows.map((node) => [node.id, node]));
  const find = ({ node }: HeldCode): HoldingNode | undefined => {
    const found = nodes.get(node);
    if (found === undefined || found.d === true) return undefined;
    const holding = readHoldingNode(found, environment);
    // Of a flow that is disabled nobody has checked that its layers are there.
    return holding?.layers.every((layer) => mappings.names.layers.includes(layer)) === true
      ? holding
      : undefined;
  };
  return {
    isAwaited: (held) => {
      const node = find(held);
      if (node === undefined) return false;
      if (node.table !== undefined && node.table !== held.table) return false;
      return isAwaited(held, node);
    },
    findRow: (held) => {
      const node = find(held);
      if (node === undefined) return undefined;
      const { layers } = node;
      return findRow(held, { layers, table: mappings.table(held.table, layers) });
    },
  };
}

/** What is deployed at each moment, read once after each deploy. */
export function followDeployedCodes(
  current: () => Deployed,
  environment: Environment,
): () => Promise<DeployedCodes> {
  let known: { readonly of: Deployed; readonly codes: Promise<DeployedCodes> } | undefined;
  return () => {
    const of = current();
    if (known?.of !== of) {
      const codes = readDeployedCodes(of, environment);
      known = { of, codes };
      // Read again by whoever asks next.
      codes.catch(() => (known = undefined));
    }
    return known.codes;
  };
}
