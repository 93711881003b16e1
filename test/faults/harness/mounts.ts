import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { FaultContext } from './scenario.ts';

/** A disk of the test's own, in memory. */
export interface SmallDisk {
  readonly folder: string;
  /** Lets nothing be written to any file of it, or lets it again; fails while one is open for writing. */
  setReadOnly(isReadOnly: boolean): void;
}

/** Mounts a tmpfs of that size; undefined where that is not allowed, which must be said. */
export function mountSmallDisk(
  context: FaultContext,
  folder: string,
  mebibytes: number,
): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'hilum-faults', folder)) {
    return undefined;
  }
  context.atEnd(() => run('umount', '-l', folder));
  return {
    folder,
    setReadOnly: (isReadOnly) => {
      const options = `remount,${isReadOnly ? 'ro' : 'rw'}`;
      if (!run('mount', '-o', options, folder)) {
        throw new Error(`The test's own disk could not be mounted again as ${options}.`);
      }
    },
  };
}

/** Makes one file unwritable, for root as well, until the function that it gives is called. */
export function mountReadOnly(context: FaultContext, file: string): () => void {
  const unmount = (): void => void run('umount', '-l', file);
  if (!run('mount', '--bind', file, file) || !run('mount', '-o', 'remount,bind,ro', file)) {
    throw new Error('A file could not be mounted read-only.');
  }
  let isMounted = true;
  const once = (): void => {
    if (isMounted) unmount();
    isMounted = false;
  };
  context.atEnd(once);
  return once;
}

function run(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
