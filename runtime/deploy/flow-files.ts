import type { FlowNode } from '../../core/interface.ts';

/** Every tab and subflow in a file of its own, shared configuration in one, and the order of the tabs. */
export type FlowFiles = ReadonlyMap<string, readonly FlowNode[] | readonly string[]>;

const sharedFile = '_shared.json';
const orderFile = '_order.json';

/**
 * Splits what the editor saves into files. Nodes stand sorted by id, so that an edit changes one file
 * and a small part of it.
 */
export function toFiles(flows: readonly FlowNode[]): FlowFiles {
  const files = new Map<string, FlowNode[]>();
  const fileOf = new Map<string, string>();
  const order: string[] = [];
  for (const node of flows) {
    if (!isContainer(node)) continue;
    const folder = node.type === 'tab' ? '' : 'subflows/';
    let file = `${folder}${toSlug(labelOf(node))}.json`;
    if (files.has(file)) file = `${folder}${toSlug(labelOf(node))}-${toSlug(node.id)}.json`;
    files.set(file, [node]);
    fileOf.set(node.id, file);
    order.push(node.id);
  }
  const shared: FlowNode[] = [];
  for (const node of flows) {
    if (isContainer(node)) continue;
    const file = fileOf.get(node.z ?? '');
    (file === undefined ? shared : (files.get(file) ?? shared)).push(node);
  }
  for (const [file, [container, ...nodes]] of files) {
    if (container !== undefined) files.set(file, [container, ...nodes.sort(byId)]);
  }
  return new Map<string, readonly FlowNode[] | readonly string[]>([
    ...files,
    [sharedFile, shared.sort(byId)],
    [orderFile, order],
  ]);
}

/** The flows that the files hold, as the editor wants them: in the order of the tabs. */
export function fromFiles(files: FlowFiles): readonly FlowNode[] {
  const order = (files.get(orderFile) ?? []) as readonly string[];
  const position = (id: string | undefined): number => {
    const found = order.indexOf(id ?? '');
    return found < 0 ? order.length : found;
  };
  const groups = [...files]
    .filter(([file]) => file !== orderFile && file !== sharedFile)
    .map(([, nodes]) => nodes as readonly FlowNode[])
    .sort((left, right) => position(left[0]?.id) - position(right[0]?.id));
  const shared = (files.get(sharedFile) ?? []) as readonly FlowNode[];
  return [...groups.flat(), ...shared];
}

function isContainer(node: FlowNode): boolean {
  return node.type === 'tab' || node.type === 'subflow';
}

function labelOf(node: FlowNode): string {
  const label = node.type === 'tab' ? node['label'] : node.name;
  return typeof label === 'string' ? label : '';
}

function toSlug(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'unnamed';
}

function byId(left: FlowNode, right: FlowNode): number {
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}
