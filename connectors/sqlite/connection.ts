import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { buildError } from '../../core/errors.ts';
import type { HilumError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { FrameReader, FrameTooLong, maxRequestBytes, toFrame } from './frames.ts';
import type { DeliveryParcel, Request, Response } from './protocol.ts';
import { readResponse, writeRequests } from './wire.ts';

export type ConnectionState = 'connected' | 'disconnected';

/** A request without its number, which the connection gives it. */
export type Question = Request extends infer Each
  ? Each extends readonly [number, ...infer Rest]
    ? readonly [...Rest]
    : never
  : never;

interface Pending {
  readonly unavailable: string;
  resolve(value: unknown): void;
  reject(error: HilumError): void;
}

const firstDelayMs = 20;
const longestDelayMs = 1000;
const frameBytes = 1024 * 1024;

/**
 * The client's end of the socket: numbers requests, sends those of one tick as one frame, and connects
 * again when the owner went away. What was asked and not answered then rejects as transient.
 */
export class Connection {
  /** Called for every delivery, in order. */
  onDelivery: (parcel: DeliveryParcel) => void = () => undefined;
  /** What to ask first on every new connection; it counts as connected once that is answered. */
  onConnect: () => Promise<void> = () => Promise.resolve();
  /** How many connections there were: what belongs to an earlier one is void. */
  generation = 0;
  state: ConnectionState = 'disconnected';
  #voiding = new AbortController();

  readonly #path: string;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  #pending = new Map<number, Pending>();
  #socket: Socket | undefined;
  #outgoing: Request[] = [];
  #outgoingBytes = 0;
  #armed = false;
  #lastId = 0;
  #delayMs = firstDelayMs;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Aborted when the present connection is lost. */
  get voided(): AbortSignal {
    return this.#voiding.signal;
  }

  /** Starts connecting; goes on until `close`. */
  open(): void {
    const socket = connect(this.#path);
    const reader = new FrameReader();
    socket.once('connect', () => {
      if (this.#closed) {
        socket.destroy();
        return;
      }
      this.generation += 1;
      this.#socket = socket;
      void this.#greet(socket);
    });
    socket.on('data', (chunk) => {
      try {
        for (const content of reader.read(chunk)) this.#receive(readResponse(content));
      } catch (error) {
        // Where the next frame begins is not known any more: on a new connection it is.
        this.#logger.error(
          { error: error instanceof Error ? error.name : '' },
          'The owner of the data file sent what cannot be read: is it of this version? Connecting again',
        );
        this.#delayMs = longestDelayMs;
        socket.destroy();
      }
    });
    // What follows is 'close', where it is dealt with.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#lose(socket));
  }

  onState(listener: (state: ConnectionState) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Asks the owner. Rejects with `unavailable` as its code where that cannot be reached, and with
   * `message-too-large` or `request-invalid` (permanent) where this one cannot be sent at all. `bytes` is
   * how much of it is bodies.
   */
  ask(question: Question, unavailable: string, bytes = 0): Promise<unknown> {
    if (this.#socket === undefined) return Promise.reject(toUnavailable(unavailable));
    if (bytes > maxRequestBytes) return Promise.reject(toTooLarge(bytes));
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise((resolve, reject) => {
      this.#pending.set(id, { unavailable, resolve, reject });
    });
    this.#outgoing.push([id, ...question] as unknown as Request);
    this.#outgoingBytes += bytes;
    if (this.#outgoingBytes >= frameBytes) {
      this.#send();
    } else if (!this.#armed) {
      this.#armed = true;
      setImmediate(() => {
        this.#armed = false;
        this.#send();
      });
    }
    return answer;
  }

  /** Cuts the connection as a fault would. */
  cut(): void {
    this.#socket?.destroy();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroySoon();
    });
  }

  async #greet(socket: Socket): Promise<void> {
    try {
      await this.onConnect();
    } catch (error) {
      // The owner went away again, or refused what it had taken before: the next connection tells.
      this.#logger.warn({ error: error instanceof Error ? error.message : '' }, 'Not connected');
      socket.destroy();
      return;
    }
    if (this.#socket !== socket) return;
    this.#delayMs = firstDelayMs;
    this.#changeState('connected');
  }

  #send(): void {
    const requests = this.#outgoing;
    const socket = this.#socket;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    if (requests.length > 0 && socket !== undefined) this.#write(socket, requests);
  }

  #write(socket: Socket, requests: readonly Request[]): void {
    let frame;
    try {
      frame = toFrame(writeRequests(requests), maxRequestBytes);
    } catch (error) {
      const [first, ...others] = requests;
      if (first === undefined) return;
      if (others.length === 0) {
        this.#settle(first[0])?.reject(toUnsendable(error));
        return;
      }
      // One by one: those beside it are innocent.
      for (const request of requests) this.#write(socket, [request]);
      return;
    }
    socket.write(frame);
  }

  #receive(response: Response): void {
    for (const id of response.done) this.#settle(id)?.resolve(undefined);
    for (const [id, value] of response.values) this.#settle(id)?.resolve(value);
    for (const [id, { errorClass, code, message }] of response.failed) {
      this.#settle(id)?.reject(buildError(errorClass, code, message));
    }
    for (const delivery of response.deliveries) this.onDelivery(delivery);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #lose(socket: Socket): void {
    if (this.#socket === socket) {
      this.#socket = undefined;
      this.#voiding.abort();
      this.#voiding = new AbortController();
    }
    const pending = this.#pending;
    this.#pending = new Map();
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    for (const each of pending.values()) each.reject(toUnavailable(each.unavailable));
    if (this.state === 'connected') this.#changeState('disconnected');
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.open(), this.#delayMs);
    this.#delayMs = Math.min(2 * this.#delayMs, longestDelayMs);
  }

  #changeState(state: ConnectionState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

function toUnsendable(error: unknown): HilumError {
  if (error instanceof FrameTooLong) return toTooLarge(error.bytes);
  return buildError(
    'permanent',
    'request-invalid',
    // V8's own words would show the value.
    'A request of plain values was expected: one in this cannot be serialised, such as a function.',
  );
}

function toTooLarge(bytes: number): HilumError {
  return buildError(
    'permanent',
    'message-too-large',
    `A request of at most ${maxRequestBytes} bytes was expected: this one has ${bytes}. ` +
      'Refuse such messages where they come in (maxFrameBytes of the listener).',
  );
}

/** The rejection of whatever could not be asked, or was not answered. */
export function toUnavailable(code: string): HilumError {
  return buildError(
    'transient',
    code,
    'An answer of the owner of the data file was expected and the connection to it is gone: it is ' +
      'not known whether this was stored. Repeat it; the connection comes back by itself.',
  );
}
