import type { Socket } from 'node:net';

/** A message's place among the answers of its connection. */
export interface Place {
  readonly bytes: number;
  /** Frames to be written; undefined until it is decided. */
  answer: readonly Buffer[] | undefined;
}

/** The answers of one connection, written in the order in which their messages came. */
export interface AnswerQueue {
  /** Messages without a written answer. */
  readonly length: number;
  /** What these messages have in bytes. */
  readonly bytes: number;
  take(bytes: number): Place;
  /** Gives the place its frames, none where nothing is answered. */
  fill(place: Place, answer: readonly Buffer[]): void;
  /** Gives up the place and all behind it: they stay unanswered. */
  dropFrom(place: Place): void;
  /** Frames out of turn, behind everything that is ready. */
  push(frames: readonly Buffer[]): void;
  /** The message counts as unanswered until the function is called, with its frames out of turn. */
  defer(bytes: number): (frames: readonly Buffer[]) => void;
}

/** @param options.onFlush after what was ready has been written, with the number of answers in it */
export function createAnswerQueue(
  socket: Socket,
  options: { readonly onFlush: (answers: number) => void },
): AnswerQueue {
  const places: Place[] = [];
  let bytes = 0;
  let deferred = 0;
  let outgoing: Buffer[] = [];
  let isFlushing = false;

  // Answers that become ready together leave in one write.
  function scheduleFlush(): void {
    if (isFlushing) return;
    isFlushing = true;
    process.nextTick(flush);
  }

  function flush(): void {
    isFlushing = false;
    let answers = 0;
    for (let first = places[0]; first?.answer !== undefined; first = places[0]) {
      places.shift();
      bytes -= first.bytes;
      if (first.answer.length > 0) answers += 1;
      outgoing.push(...first.answer);
    }
    if (socket.destroyed) return;
    if (outgoing.length > 0) {
      socket.write(outgoing.length === 1 ? (outgoing[0] ?? '') : Buffer.concat(outgoing));
      outgoing = [];
    }
    options.onFlush(answers);
  }

  return {
    get length() {
      return places.length + deferred;
    },
    get bytes() {
      return bytes;
    },
    take(size) {
      const place: Place = { bytes: size, answer: undefined };
      places.push(place);
      bytes += size;
      return place;
    },
    fill(place, answer) {
      place.answer = answer;
      scheduleFlush();
    },
    dropFrom(place) {
      const position = places.indexOf(place);
      if (position !== -1) {
        for (const dropped of places.splice(position)) bytes -= dropped.bytes;
      }
      scheduleFlush();
    },
    push(frames) {
      outgoing.push(...frames);
      scheduleFlush();
    },
    defer(size) {
      deferred += 1;
      bytes += size;
      return (frames) => {
        deferred -= 1;
        bytes -= size;
        outgoing.push(...frames);
        // Without frames too: it makes room, or is what a connection that is to close waits for.
        scheduleFlush();
      };
    },
  };
}
