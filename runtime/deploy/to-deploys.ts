import type { Deploys } from '../../console/api/deploys.ts';
import type { Editor } from '../console/editor.ts';
import type { Settings } from '../settings.ts';
import type { Deployments } from './deployments.ts';
import { readFlows } from './storage.ts';

/** Deploys that come by the command line go through the editor, so that whoever has it open hears of them. */
export function toDeploys(parts: {
  readonly deployments: Deployments;
  readonly editor: Editor;
  readonly settings: Settings;
}): Deploys {
  const { deployments, editor, settings } = parts;
  const { history } = deployments;
  return {
    deploy: async ({ revision, by }) => {
      const earlier = revision === undefined ? undefined : await history.read(revision);
      const flows = earlier?.flows ?? (await readFlows(settings.flowsDirectory));
      await editor.submit(flows, by);
      const { groups } = deployments;
      return earlier === undefined ? { groups } : { groups, revision: earlier.revision };
    },
    list: (limit) => history.list(limit),
    diff: (revision) => history.diff(revision),
  };
}
