/** How a process ended soon after it had started. */
export interface QuickEnd {
  /** For people. */
  readonly reason: string;
  /** Whether it had got ready. */
  readonly wasReady: boolean;
  /** In which node and with which message, as far as that is known. */
  readonly nodeId?: string;
  readonly messageId?: string;
}

/** A message that ends its worker each time is given up by then, whatever ended it. */
const mostEnds = 8;
/** So many messages in a row, each of which ended the worker as soon as it was up: it is not the messages. */
const mostCulprits = 10;
/** Before it is ready no message is to blame. */
const mostEndsAtStart = 4;
/** Of one node, without a message that could be given up for it. */
const mostEndsOfNode = 3;

/**
 * Whether another start would only end again: these are all ends, the last one last, since the process last ran for
 * long, or a message was found to be the reason. What single messages did is over when they are given up; what remains
 * is of the flow. `culprits`: how many such messages there were in a row.
 */
export function isCrashLoop(ends: readonly QuickEnd[], culprits = 0): boolean {
  const last = (count: number): readonly QuickEnd[] => ends.slice(-count);
  return (
    ends.length >= mostEnds ||
    culprits >= mostCulprits ||
    (ends.length >= mostEndsAtStart && last(mostEndsAtStart).every((end) => !end.wasReady)) ||
    findGuiltyNode(last(mostEndsOfNode)) !== undefined
  );
}

/** The node that each of the ends is known to be of, though no message is. */
function findGuiltyNode(ends: readonly QuickEnd[]): string | undefined {
  const [first] = ends;
  if (ends.length < mostEndsOfNode || first?.nodeId === undefined) return undefined;
  return ends.every((end) => end.messageId === undefined && end.nodeId === first.nodeId)
    ? first.nodeId
    : undefined;
}

/** The tab that most ends are known to be of: more than half of them, and all that are known of any. */
export function findGuiltyTab(
  ends: readonly QuickEnd[],
  tabOf: (nodeId: string) => string | undefined,
): string | undefined {
  const tabs = ends.flatMap(({ nodeId }) => {
    const tab = nodeId === undefined ? undefined : tabOf(nodeId);
    return tab === undefined ? [] : [tab];
  });
  const [first] = tabs;
  return tabs.length * 2 > ends.length && tabs.every((tab) => tab === first) ? first : undefined;
}
