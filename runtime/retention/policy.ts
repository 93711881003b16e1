/** How long the messages of an interface are kept; an absent one: for ever. */
export interface RetentionPolicy {
  readonly days?: number;
  /** Of dead letters, with all that belongs to them. */
  readonly deadDays?: number;
}

/** What Hilum is told of retention from outside. */
export interface RetentionSettings {
  /** Of interfaces that set none themselves. */
  readonly policy: RetentionPolicy;
  /** Beyond it the oldest go before their days are over. Absent: no bound. */
  readonly maxFileBytes?: number;
  readonly everyMs: number;
}

/** A quarter of a year, and dead letters a year: until somebody says what the law of the place asks for. */
const usualPolicy: RetentionPolicy = { days: 90, deadDays: 365 };
const everyMs = 3_600_000;

const unitsBytes: Readonly<Record<string, number>> = {
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/**
 * The policy that `find` gives by name (`HILUM_RETENTION_DAYS`, `HILUM_RETENTION_DEAD_DAYS`), over the one that holds
 * otherwise: days, or `off`. With a problem in words for each that is neither.
 */
export function readRetentionPolicy(
  find: (name: string) => string | undefined,
  otherwise: RetentionPolicy = usualPolicy,
): { readonly policy: RetentionPolicy; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = (name: string, usual: number | undefined): number | undefined => {
    const text = find(name)?.trim() ?? '';
    if (text === '') return usual;
    if (text === 'off') return undefined;
    const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (days < 1) problems.push(`${name}: expected days from 1, or off, found "${text}".`);
    return days;
  };
  const days = read('HILUM_RETENTION_DAYS', otherwise.days);
  const deadDays = read('HILUM_RETENTION_DEAD_DAYS', otherwise.deadDays);
  if (problems.length === 0 && deadDays !== undefined && (days ?? Infinity) > deadDays) {
    problems.push(
      'HILUM_RETENTION_DEAD_DAYS: expected no fewer days than HILUM_RETENTION_DAYS, found fewer.',
    );
  }
  return {
    policy: {
      ...(days === undefined ? {} : { days }),
      ...(deadDays === undefined ? {} : { deadDays }),
    },
    problems,
  };
}

/** Reads the policy of all interfaces, and `HILUM_RETENTION_MAX_SIZE` (`20GB`). */
export function readRetentionSettings(env: Readonly<NodeJS.ProcessEnv>): {
  readonly settings: RetentionSettings;
  readonly problems: readonly string[];
} {
  const { policy, problems } = readRetentionPolicy((name) => env[name]);
  const size = env['HILUM_RETENTION_MAX_SIZE'] || undefined;
  const match = /^(\d{1,6}) ?(MB|GB|TB)$/.exec(size ?? '');
  const maxFileBytes =
    match === null ? undefined : Number(match[1]) * (unitsBytes[match[2] ?? ''] ?? 0);
  const isSizeWrong = size !== undefined && size !== 'off' && !((maxFileBytes ?? 0) > 0);
  return {
    settings: { policy, everyMs, ...(maxFileBytes === undefined ? {} : { maxFileBytes }) },
    problems: [
      ...problems,
      ...(isSizeWrong
        ? [`HILUM_RETENTION_MAX_SIZE: expected a size such as 500MB or 20GB, found "${size}".`]
        : []),
    ],
  };
}
