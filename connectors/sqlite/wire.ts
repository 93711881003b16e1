import { deserialize, serialize } from 'node:v8';
import type { LedgerEntry } from '../../core/ports/ledger.ts';
import type { FrameContent } from './frames.ts';
import type {
  Beside,
  DeliveryParcel,
  OutgoingParcel,
  Parcel,
  Request,
  Response,
} from './protocol.ts';

/*
 * How requests and responses are written: as JSON, with the bodies beside it, each once, and their numbers in their
 * places. For what goes with every message that costs a fifth of V8's serialisation on either side. What is asked
 * seldom, and its answers, may be anything that V8 serialises: they are attachments too.
 */

/** Whatever JSON can say. */
type Json = unknown;

/** Number of an attachment. */
type Place = number;

/** The bodies of one frame on their way out. */
class Attachments {
  readonly list: Uint8Array[] = [];
  readonly #places = new Map<Uint8Array, Place>();

  add(bytes: Uint8Array): Place {
    const known = this.#places.get(bytes);
    if (known !== undefined) return known;
    this.#places.set(bytes, this.list.length);
    return this.list.push(bytes) - 1;
  }
}

/** The requests of one frame, in their order. Throws what V8 or JSON throw on what cannot be written. */
export function writeRequests(requests: readonly Request[]): FrameContent {
  const attachments = new Attachments();
  const text = JSON.stringify(requests.map((request) => writeRequest(request, attachments)));
  return { text, attachments: attachments.list };
}

/** What {@link writeRequests} has written. Throws where it has not. */
export function readRequests({ text, attachments }: FrameContent): readonly Request[] {
  return (JSON.parse(text) as readonly Written[]).map((written) =>
    readRequest(written, attachments),
  );
}

/** The answers of one frame. Throws as {@link writeRequests} does. */
export function writeResponse({ done, values, failed, deliveries }: Response): FrameContent {
  const attachments = new Attachments();
  const text = JSON.stringify([
    done,
    values.map(([id, value]) => [id, attachments.add(serialize(value))]),
    failed,
    deliveries.map(([consumer, lease, redelivered, parcel, state]) => [
      consumer,
      lease,
      redelivered,
      writeParcel(parcel, attachments),
      state,
    ]),
  ]);
  return { text, attachments: attachments.list };
}

/** What {@link writeResponse} has written. Throws where it has not. */
export function readResponse({ text, attachments }: FrameContent): Response {
  const [done, values, failed, deliveries] = JSON.parse(text) as readonly [
    Response['done'],
    readonly (readonly [id: number, value: Place])[],
    Response['failed'],
    DeliveryParcel[],
  ];
  for (const delivery of deliveries) fillParcel(delivery[3], attachments);
  return {
    done,
    values: values.map(([id, place]) => [id, deserialize(bytesAt(place, attachments))]),
    failed,
    deliveries,
  };
}

type Written = readonly [id: number, kind: Request[1], ...rest: readonly Json[]];

function writeRequest(request: Request, attachments: Attachments): Json {
  switch (request[1]) {
    case 'publish':
    case 'publishEvent':
      return [request[0], request[1], request[2], writeParcel(request[3], attachments)];
    case 'take': {
      const { entries, ...unless } = request[4];
      return [
        request[0],
        request[1],
        request[2],
        writeParcel(request[3], attachments),
        { ...unless, entries: writeEntries(entries, attachments) },
      ];
    }
    case 'accept':
    case 'retry':
    case 'deadLetter': {
      const [id, kind, lease, beside, ...rest] = request;
      return [id, kind, lease, writeBeside(beside, attachments), ...rest];
    }
    case 'append':
      return [request[0], request[1], writeEntries(request[2], attachments), ...request.slice(3)];
    case 'release':
    case 'declare':
    case 'consume':
    case 'stop':
    case 'depths':
      return request;
    default: {
      const [id, kind, ...rest] = request;
      return [id, kind, attachments.add(serialize(rest))];
    }
  }
}

function readRequest(written: Written, attachments: readonly Uint8Array[]): Request {
  const [id, kind, ...rest] = written;
  switch (kind) {
    case 'publish':
    case 'publishEvent':
      fillParcel(rest[1] as Parcel, attachments);
      break;
    case 'take':
      fillParcel(rest[1] as Parcel, attachments);
      fillEntries((rest[2] as { readonly entries: readonly LedgerEntry[] }).entries, attachments);
      break;
    case 'accept':
    case 'retry':
    case 'deadLetter': {
      const [lease, beside, ...others] = rest as [number, Beside | null, ...Json[]];
      if (beside === null) return [id, kind, lease, undefined, ...others] as unknown as Request;
      if (beside === undefined) break;
      for (const [, , parcel] of beside.outgoing) fillParcel(parcel, attachments);
      fillEntries(beside.entries, attachments);
      break;
    }
    case 'append':
      fillEntries(rest[0] as readonly LedgerEntry[], attachments);
      break;
    case 'release':
    case 'declare':
    case 'consume':
    case 'stop':
    case 'depths':
      break;
    default: {
      const asked = deserialize(bytesAt(rest[0] as Place, attachments)) as readonly unknown[];
      return [id, kind, ...asked] as unknown as Request;
    }
  }
  return written as unknown as Request;
}

function writeParcel([id, attempt, header, body]: Parcel, attachments: Attachments): Json {
  return [id, attempt, header, attachments.add(body)];
}

function writeBeside(beside: Beside, attachments: Attachments): Json {
  if (beside === undefined) return null;
  const outgoing = beside.outgoing.map(([kind, name, parcel]: OutgoingParcel) => [
    kind,
    name,
    writeParcel(parcel, attachments),
  ]);
  return { outgoing, entries: writeEntries(beside.entries, attachments) };
}

function writeEntries(entries: readonly LedgerEntry[], attachments: Attachments): Json {
  return entries.map((entry) => {
    if (entry.type !== 'message') return entry;
    const { envelope } = entry;
    // What is no body is refused by whoever reads it.
    const body: unknown = envelope.body;
    const place = body instanceof Uint8Array ? attachments.add(body) : null;
    return { ...entry, envelope: { ...envelope, body: place } };
  });
}

/** Puts the bytes in the place of their number: what was just read belongs to nobody else. */
function fillParcel(parcel: Parcel, attachments: readonly Uint8Array[]): void {
  (parcel as unknown as [string, number, string, unknown])[3] = bytesAt(
    parcel[3] as unknown as Place,
    attachments,
  );
}

function fillEntries(entries: readonly LedgerEntry[], attachments: readonly Uint8Array[]): void {
  for (const entry of entries) {
    if (entry.type !== 'message') continue;
    const envelope = entry.envelope as unknown as { body: Place | null | Uint8Array };
    if (typeof envelope.body === 'number') envelope.body = bytesAt(envelope.body, attachments);
  }
}

function bytesAt(place: Place, attachments: readonly Uint8Array[]): Uint8Array {
  const bytes = attachments[place];
  if (bytes === undefined) throw new RangeError(`An attachment ${place} expected: there is none.`);
  return bytes;
}
