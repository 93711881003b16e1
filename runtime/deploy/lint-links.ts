import type { FlowNode } from '../../core/interface.ts';
import type { Issue } from '../../core/issue.ts';
import { buildIssue } from '../../nodes/shared/contribution.ts';
import { groupOf } from './groups.ts';

const linking: ReadonlySet<string> = new Set(['link out', 'link call']);

/** Links from one group's flows to another's: their workers are processes of their own, and no link joins them. */
export function lintLinks(flows: readonly FlowNode[]): readonly Issue[] {
  const groups = new Map(
    flows.filter(({ type }) => type === 'tab').map((tab) => [tab.id, groupOf(tab)]),
  );
  const tabs = new Map(flows.map(({ id, z }) => [id, z ?? '']));
  return flows.flatMap((node) => {
    const links: unknown = node['links'];
    const own = groups.get(node.z ?? '');
    if (!linking.has(node.type) || !Array.isArray(links) || own === undefined) return [];
    const others = links
      .map((id) => groups.get(tabs.get(String(id)) ?? ''))
      .filter((group) => group !== undefined && group !== own);
    return [...new Set(others)].map((other) =>
      buildIssue(
        node,
        'link-leaves-group',
        `expected a link within the group "${own}", found one to the group "${other}", whose worker is another process: ` +
          'nothing would arrive. Use "queue out" here and "queue in" there, with the same topic, or put both flows ' +
          'into one group (HILUM_GROUP).',
      ),
    );
  });
}
