/** How many bytes of messages several connections may hold together. Beyond it they are read no further. */
export interface BufferBudget {
  /** A connection's part. `onRoom` is called when there is room again. */
  open(onRoom: () => void): BufferShare;
}

/** What one connection holds of it. */
interface BufferShare {
  /** What it holds now: of messages that are complete and not answered, and of the one that is coming in. */
  hold(bytes: { readonly unanswered: number; readonly unfinished: number }): void;
  /** Whether the connection is to be read no further for now. */
  isFull(): boolean;
  /** The connection is gone. Idempotent. */
  close(): void;
}

/**
 * A budget within another one, where that is given. What is answered makes room. Where unfinished messages alone fill
 * it, the one that began first is read on: no two wait for each other's end.
 */
export function createBufferBudget(maxBytes: number, within?: BufferBudget): BufferBudget {
  const waiting = new Set<() => void>();
  /** Those with an unfinished message, in the order in which these began. */
  const unfinished = new Set<object>();
  let unansweredBytes = 0;
  let unfinishedBytes = 0;

  function makeRoom(): void {
    const isStillFull = unansweredBytes > 0 && unansweredBytes + unfinishedBytes >= maxBytes;
    if (waiting.size === 0 || isStillFull) return;
    const listeners = [...waiting];
    waiting.clear();
    for (const onRoom of listeners) onRoom();
  }

  return {
    open(onRoom) {
      const outer = within?.open(onRoom);
      const self = {};
      const held = { unanswered: 0, unfinished: 0 };

      function hold(bytes: { readonly unanswered: number; readonly unfinished: number }): void {
        const isLess =
          bytes.unanswered + bytes.unfinished < held.unanswered + held.unfinished ||
          bytes.unanswered < held.unanswered;
        unansweredBytes += bytes.unanswered - held.unanswered;
        unfinishedBytes += bytes.unfinished - held.unfinished;
        held.unanswered = bytes.unanswered;
        held.unfinished = bytes.unfinished;
        if (bytes.unfinished === 0) unfinished.delete(self);
        else unfinished.add(self);
        outer?.hold(bytes);
        if (isLess) makeRoom();
      }

      function isFullHere(): boolean {
        if (unansweredBytes + unfinishedBytes < maxBytes) return false;
        const [first] = unfinished;
        const goesOn = unansweredBytes === 0 && (first === undefined || first === self);
        return !goesOn;
      }

      return {
        hold,
        isFull() {
          if (isFullHere()) {
            waiting.add(onRoom);
            return true;
          }
          return outer?.isFull() ?? false;
        },
        close() {
          hold({ unanswered: 0, unfinished: 0 });
          waiting.delete(onRoom);
          outer?.close();
        },
      };
    },
  };
}
