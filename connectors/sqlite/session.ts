import type { Socket } from 'node:net';
import { FrameReader, FrameTooLong, toFrame } from './frames.ts';
import type { GroupCommit, Requester } from './group-commit.ts';
import type { DeliveryParcel, Failure, Response } from './protocol.ts';
import { readRequests, writeResponse } from './wire.ts';

/** Beyond this much unread by the client, no more deliveries are sent to it. */
const unreadBytes = 16 * 1024 * 1024;
/** A frame is closed when it holds this much: one unsettled message keeps its whole frame in memory. */
const frameBytes = 512 * 1024;

/** One client of the owner: its requests go to the group commit, answers gather until they are flushed. */
export class Session implements Requester {
  readonly #socket: Socket;
  #done: number[] = [];
  #values: (readonly [id: number, value: unknown])[] = [];
  #failed: (readonly [id: number, failure: Failure])[] = [];
  #deliveries: DeliveryParcel[] = [];
  #gatheredBytes = 0;

  constructor(socket: Socket, commit: GroupCommit) {
    this.#socket = socket;
    const reader = new FrameReader();
    commit.join(this);
    socket.on('data', (chunk) => {
      try {
        for (const content of reader.read(chunk)) commit.submit(this, readRequests(content));
      } catch (error) {
        // Not one of ours: only the process of the same user reaches this socket.
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on('drain', () => commit.resume(this));
    // What follows is 'close', where it is dealt with.
    socket.on('error', () => undefined);
    socket.on('close', () => commit.leave(this));
  }

  get canTake(): boolean {
    return this.#socket.writable && this.#socket.writableLength + this.#gatheredBytes < unreadBytes;
  }

  done(id: number): void {
    this.#done.push(id);
  }

  value(id: number, value: unknown): void {
    this.#values.push([id, value]);
  }

  fail(id: number, failure: Failure): void {
    this.#failed.push([id, failure]);
  }

  deliver(parcel: DeliveryParcel): void {
    this.#deliveries.push(parcel);
    this.#gatheredBytes += parcel[3][3].length;
    if (this.#gatheredBytes >= frameBytes) this.flush();
  }

  flush(): void {
    const isEmpty =
      this.#done.length + this.#values.length + this.#failed.length + this.#deliveries.length === 0;
    if (isEmpty) return;
    const response: Response = {
      done: this.#done,
      values: this.#values,
      failed: this.#failed,
      deliveries: this.#deliveries,
    };
    this.#done = [];
    this.#values = [];
    this.#failed = [];
    this.#deliveries = [];
    this.#gatheredBytes = 0;
    this.#send(response);
  }

  #send(response: Response): void {
    if (!this.#socket.writable) return;
    let frame;
    try {
      frame = toFrame(writeResponse(response));
    } catch (error) {
      if (!(error instanceof FrameTooLong)) throw error;
      this.#sendSingly(response, error);
      return;
    }
    this.#socket.write(frame);
  }

  /** Several long answers came together, or one is longer than a frame: that one alone is refused. */
  #sendSingly({ done, values, failed, deliveries }: Response, { message }: FrameTooLong): void {
    const none: Response = { done: [], values: [], failed: [], deliveries: [] };
    const [value, ...others] = values;
    if (value !== undefined && others.length + deliveries.length === 0 && done.length === 0) {
      const failure: Failure = {
        errorClass: 'permanent',
        code: 'answer-too-large',
        message: `An answer that fits into one frame was expected. ${message} Ask for less at once.`,
      };
      this.#send({ ...none, failed: [...failed, [value[0], failure]] });
      return;
    }
    if (done.length + failed.length > 0) this.#send({ ...none, done, failed });
    for (const each of values) this.#send({ ...none, values: [each] });
    // What was published fitted into a request, which may not be as long.
    for (const each of deliveries) this.#send({ ...none, deliveries: [each] });
  }
}
