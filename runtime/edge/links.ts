import { createHash } from 'node:crypto';
import type { Header } from '../../core/hl7v2/header.ts';
import type { SequenceState } from '../../core/hl7v2/sequence-number.ts';

/** One link between two applications: what was accepted last, and whoever is next in line. */
interface Link {
  state: SequenceState;
  last: Promise<unknown>;
}

/** More than this many senders on one listener are no senders: the one not heard of for longest is forgotten. */
const maxLinks = 1_000;

/**
 * The sequence numbers of a listener's links. Each message of a link is decided when the one before it is
 * durable or refused. Kept in memory: after a start each link takes the first number that it is sent.
 */
export class Links {
  readonly #links = new Map<string, Link>();

  /** Runs the work when it is its turn on the message's link, with the state as it is then. */
  async inTurn<T>(
    header: Header,
    work: (state: SequenceState, keep: (next: SequenceState) => void) => Promise<T>,
  ): Promise<T> {
    const link = this.#find(header);
    const keep = (next: SequenceState): void => {
      link.state = next;
    };
    const mine = link.last.then(() => work(link.state, keep));
    link.last = mine.catch(() => undefined);
    return mine;
  }

  #find(header: Header): Link {
    const key = toKey(header);
    const link = this.#links.get(key) ?? { state: {}, last: Promise.resolve() };
    // To the end of the map, where the youngest are.
    this.#links.delete(key);
    this.#links.set(key, link);
    const [oldest] = this.#links.keys();
    if (this.#links.size > maxLinks && oldest !== undefined) this.#links.delete(oldest);
    return link;
  }
}

/** MSH-3 to MSH-6 in a fixed length: what is remembered must not grow with what a sender writes there. */
function toKey(header: Header): string {
  const { sendingApplication, sendingFacility, receivingApplication, receivingFacility } = header;
  const parties = [sendingApplication, sendingFacility, receivingApplication, receivingFacility];
  return createHash('sha256').update(JSON.stringify(parties)).digest('base64');
}
