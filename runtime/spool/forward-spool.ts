import { setTimeout as wait } from 'node:timers/promises';
import type { SpoolFile } from '../../connectors/spool/spool-file.ts';
import { findFailure } from '../../core/errors.ts';
import { findMessageId } from '../../core/ports/ledger.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { readSpooled } from './spooled.ts';

const stretchBytes = 1024 * 1024;
/** The ledger keeps up where it takes less than a stretch at once, and in less than this. */
const quickMs = 500;
const firstDelayMs = 100;
const maxDelayMs = 1_000;

/**
 * Takes what is in the spool to the ledger, in order, until the file is empty; resolves then, or when `closing` says
 * so. Never rejects. What the ledger had already it takes once. `onNearEnd` is called when the ledger has nearly all:
 * what came on and on into the file would keep it from ever being empty.
 */
export async function forwardSpool(options: {
  readonly spool: SpoolFile;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly closing: AbortSignal;
  readonly onNearEnd?: () => void;
}): Promise<void> {
  const { spool, logger, closing, onNearEnd } = options;
  let batches = 0;
  let delayMs = firstDelayMs;
  while (!closing.aborted) {
    try {
      const stretch = await spool.read(stretchBytes);
      const since = performance.now();
      await Promise.all(stretch.contents.map((content) => send(content, options)));
      spool.advance(stretch);
      batches += stretch.contents.length;
      delayMs = firstDelayMs;
      if (spool.isEmpty && (await spool.reset())) break;
      const bytes = stretch.contents.reduce((sum, { length }) => sum + length, 0);
      if (bytes < stretchBytes / 2 && performance.now() - since < quickMs) onNearEnd?.();
    } catch (error) {
      logger.debug({ err: error }, 'The ledger does not take what is spooled yet.');
      await wait(delayMs, undefined, { ref: false, signal: closing }).catch(() => undefined);
      delayMs = Math.min(2 * delayMs, maxDelayMs);
    }
  }
  if (!closing.aborted) logger.info({ batches }, 'The ledger has everything that was spooled.');
}

/** Rejects where trying again may help. */
async function send(
  content: Uint8Array,
  { ledger, logger }: { readonly ledger: Ledger; readonly logger: Logger },
): Promise<void> {
  const { batch, entries } = readSpooled(content);
  try {
    await ledger.append(entries, batch);
  } catch (error) {
    if (findFailure(error)?.errorClass !== 'permanent') throw error;
    const ids = entries.map(findMessageId);
    logger.error({ ids, err: error }, 'The ledger refused what happened: it is left out.');
  }
}
