const stepNames = new Map<number, string>([
  [1_000, '1s'],
  [5_000, '5s'],
  [30_000, '30s'],
  [120_000, '2m'],
  [600_000, '10m'],
]);

/** What our queues and exchanges are called on the server, all below one prefix. */
export interface Names {
  /** The topic exchange for events. */
  readonly events: string;
  /** The direct exchange, and its queue that keeps nothing, which remember which lanes were ever made. */
  readonly known: string;
  readonly forget: string;
  queue(queue: string): string;
  dead(queue: string): string;
  retry(queue: string, stepMs: number): string;
  /** The headers exchange of an ordered queue, and the fanout for what names no lane. */
  lanes(queue: string): string;
  rest(queue: string): string;
  lane(queue: string, index: number, count: number): string;
}

export function buildNames(prefix: string): Names {
  const of = (queue: string): string => `${prefix}.${queue}`;
  return {
    events: `${prefix}.events`,
    known: `${prefix}.lanes`,
    forget: `${prefix}.lanes.forget`,
    queue: of,
    dead: (queue) => `${of(queue)}.dead`,
    retry: (queue, stepMs) => `${of(queue)}.retry.${stepNames.get(stepMs) ?? stepMs}`,
    lanes: (queue) => `${of(queue)}.lanes`,
    rest: (queue) => `${of(queue)}.lanes.rest`,
    lane: (queue, index, count) => `${of(queue)}.lane.${index}of${count}`,
  };
}

/** The names of all lanes of a queue that has so many. */
export function laneNames(names: Names, queue: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => names.lane(queue, index, count));
}
