import type { Command } from 'commander';
import type { DeployedView, DeployView } from '../console/api/deploys.ts';
import { askFor, toTable } from './engine.ts';

interface Options {
  readonly rev?: string;
  readonly list?: boolean;
  readonly diff?: string | true;
  readonly json?: boolean;
}

/** `hilum deploy`: what is in the folders of flows, mappings and profiles, or was at a revision, runs from now on. */
export function registerDeploy(program: Command): void {
  program
    .command('deploy')
    .description('Deploy the flow files as they are in their folder, or as they were.')
    .option('--rev <rev>', 'take up a revision again, with the mappings and profiles that it had')
    .option('--list', 'show the deploys so far, the newest first')
    .option('--diff [rev]', 'show what a revision has changed, or what has changed since the last')
    .option('--json', 'with --list: the same as JSON')
    .addHelpText(
      'after',
      `
Everything is checked, and the workers of the groups that change are started, before anything changes: where
something is wrong, or does not start, what runs goes on running, and every reason is named by its node.
Where the folder of the flows is a git repository ("git init" in it), each deploy is a commit. --rev keeps what was
edited and not deployed as a commit, then writes the files of that revision over it; credentials stay as they are.`,
    )
    .action(async (options: Options) => {
      process.stdout.write(await run(options));
    });
}

async function run({ rev, list = false, diff, json = false }: Options): Promise<string> {
  if (list) {
    const deploys = (await askFor('GET', '/api/deploys?limit=100')) as readonly DeployView[];
    return json ? `${JSON.stringify(deploys, null, 2)}\n` : toList(deploys);
  }
  if (diff !== undefined) {
    const query = diff === true ? '' : `?revision=${encodeURIComponent(diff)}`;
    const { text } = (await askFor('GET', `/api/deploys/diff${query}`)) as {
      readonly text: string;
    };
    return text === '' ? 'Nothing has changed.\n' : text;
  }
  const body = rev === undefined ? {} : { revision: rev };
  const deployed = (await askFor('POST', '/api/deploys', body)) as DeployedView;
  const { groups, revision, broughtBack = [] } = deployed;
  const what =
    revision === undefined
      ? 'The files are deployed'
      : `${revision} is deployed${broughtBack.length === 0 ? ', its flows alone' : ` with its ${broughtBack.join(' and ')}`}`;
  const changed =
    groups.length === 0
      ? 'no worker had to change'
      : `new workers have taken over or are about to: ${groups.join(', ')}`;
  return `${what}; ${changed}.\n`;
}

function toList(deploys: readonly DeployView[]): string {
  if (deploys.length === 0) return 'Nothing was deployed since the repository was made.\n';
  const rows = deploys.map(({ revision, at, by, subject }) => [
    revision.slice(0, 12),
    at,
    by,
    subject,
  ]);
  return `${toTable([['REVISION', 'AT', 'BY', 'WHAT'], ...rows])}\n`;
}
