import type { Deployed } from '../deploy/deployed.ts';
import { findGroups, selectGroup } from '../deploy/groups.ts';
import { needsNewWorker, planGroup } from './plan.ts';
import type { Succession, Workers } from './workers.ts';

/**
 * Whether what a deploy changes starts, where others are to run it: a worker for each group that changes starts here, and
 * ends again. Rejects as {@link Workers.prepare} does.
 */
export async function tryOut(
  workers: Workers,
  { before, after }: { readonly before: Deployed; readonly after: Deployed },
): Promise<Succession> {
  const known = new Set(findGroups(before.flows));
  const groups = findGroups(after.flows).filter(
    (group) =>
      !known.has(group) || needsNewWorker(planGroup(group, before), planGroup(group, after)),
  );
  const changed = new Set(groups.flatMap((group) => selectGroup(after.flows, group)));
  const flows = after.flows.filter((node) => changed.has(node));
  const trial = await workers.prepare({ ...after, flows });
  await trial.abandon();
  return { groups, abandon: () => Promise.resolve(), complete: () => Promise.resolve() };
}
