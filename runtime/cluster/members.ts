import type { ControlStatus, Problem } from '../../console/api/control.ts';
import type { Member } from '../../core/ports/cluster.ts';
import type { Report } from './talk.ts';

type Reports = readonly (Member & { readonly report: Report })[];

/**
 * What all roles that are there say, as one status. `own`: what the console says of itself and knows of the flows;
 * `newest`: the number of the revision that all are to run, 0 where there is none.
 */
export function mergeStatus(
  own: ControlStatus,
  members: readonly Member[],
  newest: number,
): ControlStatus {
  const reports = members as Reports;
  const edges = reports.filter(({ role }) => role === 'edge');
  return {
    ...own,
    processes: [
      ...own.processes,
      ...reports.flatMap((member) =>
        member.report.status.processes.map((each) => ({
          ...each,
          role: `${each.role} @ ${nameOf(member)}`,
        })),
      ),
    ],
    interfaces: own.interfaces.map((each) => {
      const stopped = reports
        .flatMap(({ report }) => report.status.interfaces)
        .find(({ id, cause }) => id === each.id && cause === 'crash');
      return each.state === 'running' && stopped !== undefined ? stopped : each;
    }),
    listeners: own.listeners.map((each) => findWorst(each, edges, 'listeners', 'listening')),
    senders: own.senders.map((each) => findWorst(each, edges, 'senders', 'sending')),
    notes: [
      ...new Set([
        ...(own.notes ?? []),
        ...reports.flatMap(({ report }) => report.status.notes ?? []),
        ...members
          .filter(({ revision }) => revision < newest)
          .map(
            (each) => `${nameOf(each)}: revision ${each.revision} runs, the newest is ${newest}.`,
          ),
      ]),
    ],
    isSpooling: reports.some(({ report }) => report.status.isSpooling === true),
  };
}

/** Why messages are not taken and delivered: what the roles say, and those that are missing. */
export function mergeProblems(
  own: readonly Problem[],
  members: readonly Member[],
  expected: {
    readonly groups: readonly string[];
    readonly hasEndpoints: boolean;
  },
): readonly Problem[] {
  const reports = members as Reports;
  const missing: Problem[] = expected.groups
    .filter((group) => !reports.some((each) => each.role === 'worker' && each.group === group))
    .map((group) => ({
      part: 'engine',
      code: 'role-missing',
      message: `No worker of the group "${group}" is there: its messages wait. Start one with hilum start --role worker --group ${group}.`,
    }));
  if (expected.hasEndpoints && !reports.some(({ role }) => role === 'edge')) {
    missing.push({
      part: 'engine',
      code: 'role-missing',
      message:
        'No edge is there: nothing is taken and delivered. Start one with hilum start --role edge.',
    });
  }
  const theirs = reports.flatMap((member) =>
    member.report.problems.map((each) => ({
      ...each,
      message: `${nameOf(member)}: ${each.message}`,
    })),
  );
  return [...own, ...missing, ...theirs];
}

/** Only an edge knows whether somebody listens and sends: of others it does not count. */
export const ofTheEdge: ReadonlySet<string> = new Set([
  'listener-not-listening',
  'sender-starting',
]);

function nameOf({ role, group, host }: Member): string {
  return `${role}${group === undefined ? '' : ` ${group}`} on ${host}`;
}

/** The one that is not as it should be, of all edges that have it; as the console knows it where none has. */
function findWorst<Kind extends 'listeners' | 'senders'>(
  own: ControlStatus[Kind][number],
  edges: Reports,
  kind: Kind,
  good: string,
): ControlStatus[Kind][number] {
  if (own.state === 'stopped') return own;
  const all = edges.flatMap(({ report }) =>
    report.status[kind].filter(({ id }) => id === own.id),
  ) as readonly ControlStatus[Kind][number][];
  return all.find(({ state }) => state !== good) ?? all[0] ?? own;
}
