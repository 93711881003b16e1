const stepNames = new Map<number, string>([
  [1_000, '1s'],
  [5_000, '5s'],
  [30_000, '30s'],
  [120_000, '2m'],
  [600_000, '10m'],
]);

/** What our queues and our exchange are called on the server, all below one prefix. */
export interface Names {
  /** The topic exchange for events. */
  readonly events: string;
  queue(queue: string): string;
  dead(queue: string): string;
  retry(queue: string, stepMs: number): string;
  /** `index`: 0 and up. */
  lane(queue: string, index: number): string;
  /** There while what the queue holds goes into its lanes. */
  moving(queue: string): string;
}

export function buildNames(prefix: string): Names {
  const of = (queue: string): string => `${prefix}.${queue}`;
  return {
    events: `${prefix}.events`,
    queue: of,
    dead: (queue) => `${of(queue)}.dead`,
    retry: (queue, stepMs) => `${of(queue)}.retry.${stepNames.get(stepMs) ?? stepMs}`,
    lane: (queue, index) => `${of(queue)}.lane.${index}`,
    moving: (queue) => `${of(queue)}.moving`,
  };
}

/** The names of the first so many lanes of a queue. */
export function laneNames(names: Names, queue: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => names.lane(queue, index));
}
