import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileSet } from '../../connectors/file/file-set.ts';
import { planFlowFiles } from '../../connectors/file/flow-store.ts';
import type { FlowNode } from '../../core/interface.ts';
import { toFiles } from '../../runtime/deploy/flow-files.ts';
import { MllpPartner, readAnswer } from './mllp.ts';
import { makeTempFolder } from './temp.ts';

/** A folder of flow files, one a tab; `settings`: environment variables of tabs, by tab. */
export function writeFlows(
  tabs: Readonly<Record<string, readonly FlowNode[]>>,
  settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): string {
  const folder = path.join(makeTempFolder('flows'), 'flows');
  mkdirSync(folder);
  for (const [id, nodes] of Object.entries(tabs)) {
    const env = Object.entries(settings[id] ?? {}).map(([name, value]) => ({
      name,
      value,
      type: 'str',
    }));
    const tab = { id, type: 'tab', label: id, disabled: false, env };
    const placed = nodes.map((node) => ({ x: 100, y: 100, ...node, z: id }));
    writeFileSync(path.join(folder, `${id}.json`), JSON.stringify([tab, ...placed]));
  }
  return folder;
}

/** Makes the folder hold these flows and no others, as a deploy does; resolves with the files that changed. */
export async function writeDeployed(
  folder: string,
  flows: readonly FlowNode[],
): Promise<readonly string[]> {
  const plan = await planFlowFiles(folder, toFiles(flows));
  const changed = await writeFileSet(path.join(folder, 'journal'), plan);
  return changed.map((file) => path.relative(folder, file)).sort();
}

export const mllpIn = (
  id: string,
  port: number,
  to: string,
  acknowledge = 'received',
): FlowNode => ({
  ...{ id, type: 'mllp in', name: '', host: '', port: String(port), acknowledge },
  ...{ maxMessageMiB: '16', idleTimeoutSeconds: '0', wires: [[to]] },
});
export const mllpOut = (id: string, port: number): FlowNode => ({
  ...{ id, type: 'mllp out', name: '', host: '127.0.0.1', port: String(port) },
  ...{ timeoutSeconds: '5', concurrency: '1', wires: [[], []] },
});
export const functionNode = (id: string, func: string, to: string): FlowNode => ({
  ...{ id, type: 'function', name: id, func, outputs: 1, timeout: 0, noerr: 0 },
  ...{ initialize: '', finalize: '', libs: [], wires: [[to]] },
});

/** One message over a connection of its own; resolves with its acknowledgment, such as `AA LAB1`. */
export async function send(port: number, message: string | Uint8Array): Promise<string> {
  const partner = await MllpPartner.connect(port);
  try {
    return readAnswer(await partner.send(message));
  } finally {
    partner.close();
  }
}
