import type { Header } from '../../core/hl7v2/header.ts';
import type { SequenceState } from '../../core/hl7v2/sequence-number.ts';

/** One link between two applications: what was accepted last, and whoever is next in line. */
interface Link {
  state: SequenceState;
  last: Promise<unknown>;
}

/** More than this many senders on one listener are no senders: the oldest is forgotten. */
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
    const { sendingApplication, sendingFacility, receivingApplication, receivingFacility } = header;
    const key = JSON.stringify([
      sendingApplication,
      sendingFacility,
      receivingApplication,
      receivingFacility,
    ]);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const link: Link = { state: {}, last: Promise.resolve() };
    this.#links.set(key, link);
    const [oldest] = this.#links.keys();
    if (this.#links.size > maxLinks && oldest !== undefined) this.#links.delete(oldest);
    return link;
  }
}
