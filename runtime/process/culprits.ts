import type { Culprit } from '../flow/suspects.ts';
import type { Heard } from './last-words.ts';
import type { Running } from './loop-guard.ts';

/** By then they have been dead-lettered long since. */
const maxKept = 100;

/** A process gets these for what it does itself: V8 aborts where its heap is full, native code where it is broken. */
const ownDoing: ReadonlySet<NodeJS.Signals | null> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGTRAP',
]);

/** How a process ended, as far as it has told. */
interface End {
  readonly of: Running;
  /** For people: `the node X was in an endless loop`. */
  readonly words: string;
}

/** Messages that have ended the processes of one worker, by what these said before they ended. */
export class Culprits {
  #known: readonly Culprit[] = [];
  /** Those in whose long step a process ended once, which may be chance: others may have filled the heap. */
  #suspected: readonly string[] = [];

  /** They go through the next one's flows no more. */
  get known(): readonly Culprit[] {
    return this.#known;
  }

  /** What a process said has ended by this signal, or by itself. Undefined: it has told nothing of why. */
  judge({ lastWords, longStep }: Heard, signal: NodeJS.Signals | null): End | undefined {
    if (lastWords !== undefined) {
      const { did, ...of } = lastWords;
      this.#convict(of, did);
      return { of, words: `${toSubject(of)} ${did}` };
    }
    if (longStep === undefined || !ownDoing.has(signal)) return undefined;
    const words = `ended with ${String(signal)} in a long step of ${toSubject(longStep)}`;
    this.#suspect(longStep);
    return { of: longStep, words };
  }

  #suspect(of: Running): void {
    const { messageId } = of;
    if (messageId === undefined) return;
    if (this.#suspected.includes(messageId)) {
      this.#convict(of, 'was in the same long step each of the two times');
    }
    this.#suspected = keep(this.#suspected, messageId);
  }

  #convict({ nodeId, messageId }: Running, did: string): void {
    if (messageId === undefined) return;
    const culprit = { messageId, did, ...(nodeId === undefined ? {} : { nodeId }) };
    this.#known = keep(this.#known, culprit);
  }
}

function toSubject({ nodeId }: Running): string {
  return nodeId === undefined ? 'a flow' : `the node ${nodeId}`;
}

function keep<T>(kept: readonly T[], one: T): readonly T[] {
  return [...kept.slice(1 - maxKept), one];
}
