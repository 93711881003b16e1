import type pg from 'pg';
import type { Logger } from '../../core/ports/logger.ts';
import type { LedgerAddress } from './address.ts';
import { openSession } from './session.ts';

const againMs = 1_000;
/** A connection that is cut without a word is found out by then. */
const aliveEveryMs = 15_000;

interface Listener {
  readonly onPayload: (payload: string) => void;
  /** It listens, anew: what was told meanwhile was missed. */
  readonly onMissed: () => void;
}

/** One connection that listens on a channel, made again whenever it is lost. */
export class Listening {
  readonly #options: {
    readonly address: LedgerAddress;
    readonly logger: Logger;
    readonly channel: string;
  };
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: {
    readonly address: LedgerAddress;
    readonly logger: Logger;
    readonly channel: string;
  }) {
    this.#options = options;
  }

  start(listener: Listener): void {
    const { address, logger, channel } = this.#options;
    const again = (): void => {
      if (this.#isStopped) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void connect(), againMs);
    };
    const connect = async (): Promise<void> => {
      try {
        const client = await openSession(address);
        if (this.#isStopped) return void client.end().catch(() => undefined);
        this.#client = client;
        client.once('end', again);
        client.on('notification', ({ payload = '' }) => {
          listener.onPayload(payload);
        });
        await client.query(`LISTEN ${channel}`);
        listener.onMissed();
        this.#keepAlive(client);
      } catch (error) {
        logger.debug({ err: error }, 'Notices of the cluster are not heard yet.');
        again();
      }
    };
    void connect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  #keepAlive(client: pg.Client): void {
    const timer = setInterval(() => {
      client.query('SELECT 1').catch(() => {
        clearInterval(timer);
        void client.end().catch(() => undefined);
      });
    }, aliveEveryMs).unref();
    client.once('end', () => {
      clearInterval(timer);
    });
  }
}
