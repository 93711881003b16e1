import type { Socket } from 'node:net';
import type { CommitMode } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Accept, ConnectionIdentity, DeferredAnswer } from '../../core/ports/source.ts';
import { createAnswerQueue, type Place } from './answer-queue.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { commitBlocks, readCommit, type Commit } from './commit.ts';
import { faultMessages, type ConnectionFault } from './connection-faults.ts';
import { buildFrame, createFrameDecoder } from './frame.ts';
import { findForeignProtocol } from './foreign-protocol.ts';

/** The limits of one connection. */
export interface ConnectionLimits {
  readonly maxFrameBytes: number;
  readonly maxGarbageBytes: number;
  /** Messages accepted and not yet answered; beyond it the socket is not read. */
  readonly maxInFlight: number;
  /** Their bytes; one message is taken whatever its size. */
  readonly maxUnacknowledgedBytes: number;
  readonly idleTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly frameTimeoutMs: number;
  readonly garbageTimeoutMs: number;
}

/** What has been counted since the start. */
export interface MllpCounts {
  /** Open now. */
  connections: number;
  connectionsTotal: number;
  messages: number;
  answers: number;
  faults: number;
}

/** One partner's connection to the server. */
export interface ServerConnection {
  /** Closes what has been silent or unfinished for too long. `nowMs` is monotonic. */
  sweep(nowMs: number): void;
  /** Reads no more, answers what was accepted, then closes. */
  finish(reason: string): void;
  /** Closes at once. */
  destroy(): void;
}

const closedByPeer = 'closed by the peer';
/** So many faults without one good message between them close the connection. */
const maxFaultsInARow = 16;
/** A frame may take this much longer for every second's worth of bytes that has arrived. */
const slowestBytesPerSecond = 16_384;
/** So often an answer that the peer could not commit is repeated. MLLP release 2. */
const maxRepeats = 2;
/** How long a peer may take to read its last answers and close, after we have. */
const lingerMs = 2_000;

/** Serves one socket until it closes. Messages are accepted in order and answered in the same order. */
export function serveConnection(
  socket: Socket,
  options: {
    readonly identity: ConnectionIdentity;
    readonly remote: string;
    readonly limits: ConnectionLimits;
    readonly accept: Accept;
    readonly commit?: CommitMode | undefined;
    readonly logger: Logger;
    readonly counts: MllpCounts;
    /** What all connections together may hold. */
    readonly budget: BufferBudget;
    readonly onClose: () => void;
  },
): ServerConnection {
  const { limits, counts, logger, remote, identity, commit } = options;
  const about = { connection: identity.id, remote };
  const decoder = createFrameDecoder(limits);
  const answers = createAnswerQueue(socket, { onFlush: noteFlush });
  const share = options.budget.open(() => process.nextTick(readOn));
  let lastAnswer: readonly Buffer[] = [];
  let repeats = 0;
  let state: 'open' | 'finishing' | 'ended' = 'open';
  let peerEnded = false;
  let faultsInARow = 0;
  const connectedAt = performance.now();
  let heardAnything = false;
  let hadMessage = false;
  let activeAt = connectedAt;
  // Since when the unfinished frame, or the garbage, has been coming in.
  let reading = decoder.progress.state;
  let readingSince = connectedAt;

  function isFull(): boolean {
    const isUnfinished = state === 'open' && decoder.progress.state === 'in-frame';
    share.hold({
      unanswered: answers.bytes,
      unfinished: isUnfinished ? decoder.progress.bytes : 0,
    });
    return (
      share.isFull() ||
      answers.length >= limits.maxInFlight ||
      answers.bytes >= limits.maxUnacknowledgedBytes ||
      socket.writableNeedDrain
    );
  }

  function readOn(): void {
    let isNew = false;
    while (state === 'open' && !isFull()) {
      const event = decoder.next();
      if (event === undefined) break;
      isNew = true;
      if (event.kind === 'message') {
        const committed = readCommit(event.bytes);
        if (committed === undefined) take(event.bytes);
        else takeCommit(committed);
      } else {
        // Whoever sends nothing waits for an answer all the same: the refusal of an empty message.
        if (event.code === 'empty-frame') take(new Uint8Array());
        report(event);
      }
    }
    if (state !== 'open') return;
    if (isNew || reading !== decoder.progress.state || socket.isPaused()) {
      reading = decoder.progress.state;
      readingSince = performance.now();
    }
    if (isFull()) {
      socket.pause();
      return;
    }
    if (peerEnded) finishReading();
    else if (reading === 'in-garbage' && !hadMessage) closeForeign();
    if (!socket.isPaused()) return;
    // It was not heard because it was not read.
    activeAt = performance.now();
    socket.resume();
  }

  function finishReading(): void {
    const unfinished = decoder.end();
    if (unfinished !== undefined) report(unfinished);
    finish(closedByPeer);
  }

  function take(bytes: Uint8Array): void {
    counts.messages += 1;
    if (bytes.length > 0) faultsInARow = 0;
    hadMessage = true;
    void acceptInto(answers.take(bytes.length), bytes);
  }

  async function acceptInto(place: Place, bytes: Uint8Array): Promise<void> {
    try {
      const answer = await options.accept({ bytes, remote, connection: identity });
      if (!isDeferred(answer)) answers.fill(place, toFrames(answer));
      else if (answer.inTurn && commit === undefined) {
        answers.fill(place, toFrames(await answer.later));
      } else {
        answers.fill(place, toFrames(answer.now));
        void sendLater(answer.later, bytes.length);
      }
    } catch (error) {
      logger.warn(
        { ...about, error: error instanceof Error ? error.message : 'unknown' },
        commit === undefined
          ? 'A message was not accepted: closing its connection without an answer, the sender repeats it'
          : 'A message was not accepted: answered with a negative commit block, the sender repeats it',
      );
      if (commit !== undefined) {
        answers.fill(place, [commitBlocks['not-committed']]);
        return;
      }
      // Answers before it still go out; it and all after it stay unanswered.
      answers.dropFrom(place);
      finish('a message was not accepted');
    }
  }

  function toFrames(answer: Exclude<Answer, DeferredAnswer>): readonly Buffer[] {
    const frames = toAnswerFrames(answer);
    return commit === undefined ? frames : [commitBlocks.committed, ...frames];
  }

  function toAnswerFrames(answer: Exclude<Answer, DeferredAnswer>): readonly Buffer[] {
    const messages = answer instanceof Uint8Array ? [answer] : (answer ?? []);
    const frames =
      commit === 'instead-of-acknowledgment' ? [] : messages.map((each) => buildFrame(each));
    if (commit !== undefined) lastAnswer = frames;
    return frames;
  }

  async function sendLater(later: DeferredAnswer['later'], bytes: number): Promise<void> {
    const answered = answers.defer(bytes);
    let frames: readonly Buffer[] = [];
    try {
      frames = toAnswerFrames(await later);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      logger.warn({ ...about, error: reason }, 'A later answer cannot be given');
      finish('a later answer cannot be given');
    }
    counts.answers += frames.length;
    answered(frames);
  }

  /** What the peer says of our last answer. It is never answered itself. */
  function takeCommit(committed: Commit): void {
    if (commit === undefined) {
      report({ kind: 'fault', code: 'commit-unexpected', bytes: 1 });
    } else if (committed === 'committed') {
      repeats = 0;
    } else if (repeats < maxRepeats && lastAnswer.length > 0) {
      repeats += 1;
      answers.push(lastAnswer);
    } else {
      finish('the peer could not commit our answer');
    }
  }

  function noteFlush(written: number): void {
    activeAt = performance.now();
    counts.answers += written;
    if (state !== 'open') share.hold({ unanswered: answers.bytes, unfinished: 0 });
    if (state === 'finishing') endWhenAnswered();
    else readOn();
  }

  function report(fault: ConnectionFault): void {
    counts.faults += 1;
    faultsInARow += 1;
    logger.warn({ ...about, code: fault.code, bytes: fault.bytes }, faultMessages[fault.code]);
    if (fault.code === 'frame-too-large' || fault.code === 'no-frame') finish(fault.code);
    else if (faultsInARow >= maxFaultsInARow) finish('too many faulty frames in a row');
  }

  function finish(reason: string): void {
    if (state !== 'open') return;
    state = 'finishing';
    share.hold({ unanswered: answers.bytes, unfinished: 0 });
    // Discarding what still comes lets the peer read our last answers: unread bytes would reset it.
    socket.resume();
    const fields = { ...about, reason, unanswered: answers.length };
    const isUsual = reason === closedByPeer && answers.length === 0;
    if (isUsual) logger.debug(fields, 'Closing an MLLP connection');
    else logger.info(fields, 'Closing an MLLP connection');
    endWhenAnswered();
  }

  function endWhenAnswered(): void {
    if (answers.length > 0 || state !== 'finishing') return;
    state = 'ended';
    activeAt = performance.now();
    socket.end();
  }

  function closeForeign(): void {
    const protocol = findForeignProtocol(decoder.garbageStart());
    if (protocol !== undefined)
      finish(
        protocol === 'TLS'
          ? 'this port speaks MLLP without TLS, the peer speaks TLS: switch it off at the peer, or on here'
          : `this port speaks MLLP, the peer seems to speak ${protocol}`,
      );
  }

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (state !== 'open') return;
    heardAnything = true;
    activeAt = performance.now();
    decoder.write(chunk);
    readOn();
  });
  socket.on('end', () => {
    peerEnded = true;
    readOn();
  });
  socket.on('drain', () => {
    activeAt = performance.now();
    if (state === 'open') readOn();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    logger.info({ ...about, code: error.code }, 'An MLLP connection broke');
  });
  socket.on('close', () => {
    state = 'ended';
    share.close();
    options.onClose();
  });
  // It may have ended while the proxy's header was read.
  if (socket.readableEnded) {
    peerEnded = true;
    process.nextTick(readOn);
  }

  return {
    sweep(nowMs) {
      if (state === 'ended') {
        if (nowMs - activeAt > lingerMs) socket.destroy();
        return;
      }
      // It is not heard because it is not read.
      if (state === 'finishing' || (socket.isPaused() && share.isFull())) return;
      const { bytes } = decoder.progress;
      const frameAllowanceMs = limits.frameTimeoutMs + (bytes / slowestBytesPerSecond) * 1000;
      const readingMs = socket.isPaused() ? 0 : nowMs - readingSince;
      if (!heardAnything && nowMs - connectedAt > limits.firstByteTimeoutMs) {
        finish('nothing was sent in time');
      } else if (reading === 'in-frame' && readingMs > frameAllowanceMs) {
        finish('a frame was not finished in time');
      } else if (reading === 'in-garbage' && readingMs > limits.garbageTimeoutMs) {
        finish('no frame started in time: bytes came that are not MLLP');
      } else if (answers.length === 0 && nowMs - activeAt > limits.idleTimeoutMs) {
        finish('idle');
        // A peer that does not read its answers would never see the end of the connection either.
        if (socket.writableNeedDrain) socket.destroy();
      }
    },
    finish,
    destroy: () => socket.destroy(),
  };
}

type Answer = Awaited<ReturnType<Accept>>;

function isDeferred(answer: Answer): answer is DeferredAnswer {
  return answer !== undefined && 'later' in answer;
}
