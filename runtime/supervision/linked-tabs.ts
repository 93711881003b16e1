import type { FlowNode } from '../../core/interface.ts';

/** Code or a property that reads or writes what all tabs of a worker share. */
const sharesContext = /\bglobal\s*\.\s*(?:get|set|keys)\b|"global"/;

/**
 * The tabs of one worker in parts that need nothing of each other, in the order of their first tabs: link nodes join
 * tabs, and so does the global context, which is the worker's own. What goes through queue nodes does not.
 */
export function findParts(
  flows: readonly FlowNode[],
  tabs: readonly string[],
): readonly (readonly string[])[] {
  const leaders = new Map(tabs.map((tab) => [tab, tab]));
  const leaderOf = (tab: string): string => {
    const next = leaders.get(tab) ?? tab;
    return next === tab ? tab : leaderOf(next);
  };
  const join = (left: string, right: string): void => {
    if (leaders.has(left) && leaders.has(right)) leaders.set(leaderOf(right), leaderOf(left));
  };
  const tabOf = new Map(flows.map(({ id, z }) => [id, z ?? '']));
  const ofTabs = flows.filter(({ z }) => leaders.has(z ?? ''));
  for (const node of ofTabs) {
    const { links } = node;
    if (!Array.isArray(links)) continue;
    for (const link of links) join(node.z ?? '', tabOf.get(String(link)) ?? '');
  }
  const joinAll = (together: readonly FlowNode[]): void => {
    for (const { z } of together) join(together[0]?.z ?? '', z ?? '');
  };
  joinAll(ofTabs.filter((node) => sharesContext.test(JSON.stringify(node))));
  // Whom a call by name will reach, only the message knows.
  const calls = ofTabs.filter(
    (node) => node.type === 'link call' && node['linkType'] === 'dynamic',
  );
  if (calls.length > 0) joinAll([...calls, ...ofTabs.filter(({ type }) => type === 'link in')]);
  return [...Map.groupBy(tabs, leaderOf).values()];
}
