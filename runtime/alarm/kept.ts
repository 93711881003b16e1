import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { StandingAlarm } from './alarms.ts';
import type { Notification } from './notification.ts';
import type { Heard } from './silence.ts';

/** What must outlive a restart: an alarm is started once, and its end is told, whoever restarts in between. */
export interface Kept {
  readonly standing: readonly StandingAlarm[];
  /** Notifications that the receiver has not taken, oldest first. */
  readonly pending: readonly Notification[];
  /** When an interface was heard last, by its id. */
  readonly heard: Readonly<Record<string, Heard>>;
}

const nothing: Kept = { standing: [], pending: [], heard: {} };

/** Rejects where the file is there and cannot be read, with what to do. */
export async function readKept(file: string): Promise<Kept> {
  const text = await readFileIfAny(file);
  if (text === undefined) return nothing;
  try {
    return { ...nothing, ...(JSON.parse(text) as Partial<Kept>) };
  } catch (cause) {
    throw new Error(
      `The alarms that stand were expected in ${file} and cannot be read; remove it, and those that still hold are started anew.`,
      { cause },
    );
  }
}

export async function writeKept(file: string, kept: Kept): Promise<void> {
  await writeFileAtomically(file, `${JSON.stringify(kept, null, 2)}\n`);
}
