import type { Ledger, LedgerEntry } from '../../core/ports/ledger.ts';

export interface CopyProgress {
  readonly messages: number;
  readonly events: number;
  /** Messages that an earlier run had copied. */
  readonly found: number;
}

const pageMessages = 200;
/** Of ids alone. */
const parkedMessages = 1_000;
/** Of bodies, in one append. */
const appendBytes = 8 * 1024 * 1024;

/**
 * Copies every message with its events, and what nodes made of it, from a ledger that nobody writes to into another,
 * the oldest first and those that are set aside last, in their order. What an earlier run has copied is passed over, and
 * an append whose answer was lost is not made twice. Resolves with how much there was.
 */
export async function copyLedger(
  from: Ledger,
  to: Ledger,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyProgress> {
  const progress = { messages: 0, events: 0, found: 0 };
  const [first] = await from.find({}, { limit: 1, order: 'oldest' });
  if (first === undefined) return progress;
  const copier = new Copier(from, to, `copy of ${first.id}`);
  const parked = await findParked(from);
  const isParked = new Set(parked);
  const copyPage = async (ids: readonly string[]): Promise<void> => {
    const { events, found } = await copier.copy(ids);
    progress.messages += ids.length;
    progress.events += events;
    progress.found += found;
    onProgress(progress);
  };
  for (let after: string | undefined; ;) {
    const start = after === undefined ? {} : { after };
    const page = await from.find({}, { limit: pageMessages, order: 'oldest', ...start });
    const ids = page.map(({ id }) => id).filter((id) => !isParked.has(id));
    if (ids.length > 0) await copyPage(ids);
    after = page.at(-1)?.id;
    if (after === undefined) break;
  }
  for (let start = 0; start < parked.length; start += pageMessages) {
    await copyPage(parked.slice(start, start + pageMessages));
  }
  return progress;
}

/** The ids of those that are set aside, in their order. */
async function findParked(from: Ledger): Promise<readonly string[]> {
  const ids = new Set<string>();
  for (let after = 0; ;) {
    const page = await from.listParked(undefined, { limit: parkedMessages, after });
    for (const { id } of page) ids.add(id);
    after = page.at(-1)?.place ?? after;
    if (page.length < parkedMessages) return [...ids];
  }
}

class Copier {
  readonly #from: Ledger;
  readonly #to: Ledger;
  readonly #sender: string;
  /** Of the next message, in the one order that all runs have. */
  #position = 1;

  constructor(from: Ledger, to: Ledger, sender: string) {
    this.#from = from;
    this.#to = to;
    this.#sender = sender;
  }

  async copy(ids: readonly string[]): Promise<{ readonly events: number; readonly found: number }> {
    const heardBelow = this.#position;
    this.#position += ids.length;
    // The last of a page is appended last.
    const isThere = (await this.#to.read(ids.at(-1) ?? '')) !== undefined;
    const copies = await Promise.all(ids.map((id) => this.#read(id, isThere)));
    const events = copies.reduce((sum, copy) => sum + copy.events.length, 0);
    if (isThere) return { events, found: ids.length };
    let entries: LedgerEntry[] = [];
    let bytes = 0;
    for (const [index, copy] of copies.entries()) {
      entries.push(...copy.entries);
      bytes += copy.bytes;
      if (bytes < appendBytes && index < copies.length - 1) continue;
      // Numbered by its last message: the same in every run.
      const number = heardBelow + index;
      await this.#to.append(entries, { sender: this.#sender, number, heardBelow });
      entries = [];
      bytes = 0;
    }
    return { events, found: 0 };
  }

  async #read(id: string, isThere: boolean) {
    const trace = await this.#from.trace(id);
    const events = (trace?.events ?? []).filter(({ messageId }) => messageId === id);
    if (isThere) return { events, entries: [], bytes: 0 };
    const [envelope, changes] = await Promise.all([this.#from.read(id), this.#from.changes(id)]);
    if (envelope === undefined) throw new Error(`The message ${id} was expected and is gone.`);
    const entries: LedgerEntry[] = [
      { type: 'message', envelope },
      ...events.map((event) => ({ type: 'event', event }) as const),
      ...(changes === undefined ? [] : [{ type: 'changes', changes } as const]),
    ];
    return { events, entries, bytes: envelope.body.length };
  }
}
