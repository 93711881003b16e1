import type { Deploys } from '../../console/api/deploys.ts';
import type { Editor } from '../console/editor.ts';
import type { Settings } from '../settings.ts';
import type { Earlier } from './stored.ts';
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
    deploy: async ({ revision: name, by }) => {
      if (name === undefined) {
        await editor.submit({ flows: await readFlows(settings.flowsDirectory), by, earlier: {} });
        return { groups: deployments.groups };
      }
      const { revision, flows, earlier } = await history.read(name);
      await history.keepEdits(by);
      await editor.submit({ flows, by, earlier });
      return { groups: deployments.groups, revision, broughtBack: toKinds(earlier) };
    },
    list: (limit) => history.list(limit),
    diff: (revision) => history.diff(revision),
  };
}

function toKinds({ mappings, profileFiles, profiles }: Earlier): readonly string[] {
  return [
    ...(mappings === undefined ? [] : ['mappings']),
    ...(profileFiles === undefined && profiles === undefined ? [] : ['profiles']),
  ];
}
