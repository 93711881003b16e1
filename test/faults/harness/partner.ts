import { Child } from './child.ts';
import type { FaultContext } from './scenario.ts';
import { waitFor } from './wait.ts';

/** How the partner answers from now on. */
export type Behaviour =
  | { readonly kind: 'accept' }
  /** AA after a while: within the sender's timeout (slow), or after it (late). */
  | { readonly kind: 'slow' | 'late'; readonly delayMs: number }
  | { readonly kind: 'AE' | 'AR' | 'garbage' | 'nothing' | 'wrong-id' }
  /** The connection is reset with a part of the message read. */
  | { readonly kind: 'reset' }
  /** Nobody listens. */
  | { readonly kind: 'down' };

/** AA; AE; anything else, such as no answer. */
export const verdict = { open: 0, taken: 1, refused: 2 } as const;

export interface PartnerProgress {
  readonly received: number;
  /** Different messages that were answered AA. */
  readonly distinct: number;
  /** Different messages that it took, or refused for good, of those with this number or a later one. */
  readonly concluded: number;
  /** When the last one came, milliseconds since 1970. */
  readonly last: number;
}

/** Everything that it got, in order of arrival; the arrays belong together. */
export interface PartnerReport {
  readonly indexes: Int32Array;
  readonly times: Float64Array;
  /** What it was answered. */
  readonly verdicts: Uint8Array;
  /** What was not, byte for byte, what was to be expected. */
  readonly altered: readonly number[];
  /** Messages that nobody sent. */
  readonly strangers: number;
}

export type PartnerQuestion =
  | { readonly kind: 'listen' | 'report' }
  | { readonly kind: 'progress'; readonly from: number }
  | { readonly kind: 'behave'; readonly behaviour: Behaviour };

/** A partner that receives, in a process of its own. */
export class Partner {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(context: FaultContext): Promise<Partner> {
    const child = new Child('partner-process.ts');
    context.atEnd(() => child.end());
    return new Partner(child, await child.ask<number>({ kind: 'listen' }));
  }

  behave(behaviour: Behaviour): Promise<void> {
    return this.#child.ask({ kind: 'behave', behaviour });
  }

  /** `from`: which messages count as concluded. */
  progress(from = 0): Promise<PartnerProgress> {
    return this.#child.ask({ kind: 'progress', from });
  }

  /** Resolves when it has taken `more` messages since the call. */
  async arrived(more: number, withinMs: number): Promise<void> {
    const { distinct } = await this.progress();
    await waitFor(`${more} messages after the first ${distinct}`, () => this.progress(), {
      wanted: (progress) => progress.distinct >= distinct + more,
      withinMs,
    });
  }

  report(): Promise<PartnerReport> {
    return this.#child.ask({ kind: 'report' }, 60_000);
  }
}
