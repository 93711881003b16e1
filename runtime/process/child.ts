import { flushCompileCache } from 'node:module';
import { findFailure } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { openLogger } from '../log.ts';
import type { Settings } from '../settings.ts';
import { measureVitals } from './vitals.ts';
import type { FromChild, Role, RoleConfig, ToChild } from './messages.ts';

/** One running role: what it does with what the supervisor says, and how it ends. */
export interface RunningRole {
  handle?(message: ToChild): void;
  /** Takes no more work, finishes what it has within its own bound, lets go. */
  stop(): Promise<void>;
}

type ConfigOf<R extends Role> = Extract<RoleConfig, { role: R }>;

/** As long as a supervisor gives it. */
const orphanStopMs = 15_000;

/**
 * The main of a child process: waits for `start`, runs the role, answers heartbeats, and ends on `stop`,
 * SIGTERM, or when the supervisor is gone. Ctrl-C reaches the whole process group: the supervisor decides.
 */
export function runChild<R extends Role>(
  role: R,
  start: (context: {
    readonly settings: Settings;
    readonly config: ConfigOf<R>;
    readonly logger: Logger;
  }) => Promise<RunningRole>,
): void {
  let running: Promise<RunningRole> | undefined;
  let logger: Logger | undefined;
  let stopping = false;
  const readVitals = measureVitals();

  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger?.debug({ reason }, 'Stopping.');
    try {
      await (await running)?.stop();
      process.exit(0);
    } catch (error) {
      logger?.error({ err: error }, 'The process did not stop cleanly.');
      process.exit(1);
    }
  };

  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('disconnect', () => {
    // Nobody else ends it where its own stop waits for what has ended before it, such as the owner.
    setTimeout(() => process.exit(1), orphanStopMs).unref();
    void stop('The supervisor is gone.');
  });
  process.on('message', (message: ToChild) => {
    switch (message.type) {
      case 'ping':
        tell({ type: 'pong', vitals: readVitals() });
        return;
      case 'stop':
        void stop('asked to');
        return;
      case 'start':
        logger = openLogger(message.settings, role);
        running = start({
          settings: message.settings,
          config: message.config as ConfigOf<R>,
          logger,
        });
        running.then(
          () => {
            tell({ type: 'ready' });
            // Now, since a process that is killed writes nothing.
            flushCompileCache();
          },
          (error: unknown) => {
            const text = error instanceof Error ? error.message : String(error);
            logger?.error({ err: error }, 'The process could not start.');
            const issues = findFailure(error)?.issues ?? [];
            tell({ type: 'failed', message: text, issues });
            process.exit(1);
          },
        );
        return;
      default:
        void running?.then((role) => role.handle?.(message));
    }
  });
}

/** Says something to the supervisor; nothing where it is gone. */
export function tell(message: FromChild): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
