import type { FlowNode } from '../../core/interface.ts';

/**
 * A first line that names the flows, and a line for each of them below. `also`: what else is changed, such as
 * `mappings`.
 */
export function describeChanges(
  before: readonly FlowNode[],
  after: readonly FlowNode[],
  also: readonly string[] = [],
): string {
  const were = byContainer(before);
  const are = byContainer(after);
  const lines = [
    ...[...are].filter(([id]) => !were.has(id)).map(([, { label }]) => ({ label, verb: 'added' })),
    ...[...are]
      .filter(([id, { content }]) => were.has(id) && were.get(id)?.content !== content)
      .map(([, { label }]) => ({ label, verb: 'changed' })),
    ...[...were]
      .filter(([id]) => !are.has(id))
      .map(([, { label }]) => ({ label, verb: 'removed' })),
    ...also.map((label) => ({ label, verb: 'changed' })),
  ];
  if (lines.length === 0) return 'Deploy';
  const subject = `Deploy: ${lines.map(({ label }) => label).join(', ')}`;
  const body = lines.map(({ label, verb }) => `- ${label}: ${verb}`);
  return [subject.length > 72 ? `${subject.slice(0, 71)}…` : subject, '', ...body].join('\n');
}

interface Container {
  readonly label: string;
  readonly content: string;
}

/** Tabs and subflows with what is in them, and what all share as one more. */
function byContainer(flows: readonly FlowNode[]): ReadonlyMap<string, Container> {
  const containers = flows.filter(({ type }) => type === 'tab' || type === 'subflow');
  const ids = new Set(containers.map(({ id }) => id));
  const contentOf = (belongs: (node: FlowNode) => boolean): string =>
    flows
      .filter(belongs)
      .map((node) => JSON.stringify(node))
      .sort()
      .join('\n');
  const shared: Container = {
    label: 'shared configuration',
    content: contentOf(({ id, z }) => !ids.has(id) && !ids.has(z ?? '')),
  };
  return new Map([
    ...containers.map((node): [string, Container] => [
      node.id,
      {
        label: labelOf(node),
        content: contentOf(({ id, z }) => id === node.id || z === node.id),
      },
    ]),
    ['', shared],
  ]);
}

function labelOf({ id, type, name, ...rest }: FlowNode): string {
  const label = type === 'tab' ? rest['label'] : name;
  return typeof label === 'string' && label !== '' ? label : id;
}
