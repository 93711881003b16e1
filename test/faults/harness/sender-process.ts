/*
 * A partner that sends, in a process of its own: several connections with one message outstanding each, which
 * send exactly the same bytes again after a lost connection, a missing answer or AR. `sender.ts` is its other
 * end.
 */
import { connect, type Socket } from 'node:net';
import { serveParent } from './child.ts';
import { buildMessage, controlIdOf, frame, FrameSplitter } from './messages.ts';
import type { Load, SenderProgress, SenderQuestion, SenderReport } from './sender.ts';

interface Sent {
  readonly index: number;
  /** When it was to be sent: what waits for its turn behind a slow answer is late too. */
  readonly dueMs: number;
  sends: number;
  /** NaN until it is acknowledged. */
  latencyMs: number;
}

const sent: Sent[] = [];
let acknowledged = 0;
let resent = 0;
/** AR and AE, and answers to another message than the one that waits. */
const refused: string[] = [];
let wrongAnswers = 0;
let slowestMs = 0;
let ending = false;
let abandoned = false;
let lanes: Promise<void>[] = [];

const againMs = 50;
const refusedAgainMs = 250;

class Lane {
  readonly #load: Load;
  #socket: Socket | undefined;
  #onAnswer: (answer: string | undefined) => void = () => undefined;

  constructor(load: Load) {
    this.#load = load;
  }

  async run(lane: number): Promise<void> {
    const { first, connections, ratePerSecond, count } = this.#load;
    const gapMs = ratePerSecond === undefined ? 0 : (connections * 1000) / ratePerSecond;
    // Spread over the first gap, so that the connections do not send at the same moment.
    const startMs = performance.now() + (gapMs * lane) / connections;
    for (let turn = 0; !ending; turn += 1) {
      const number = turn * connections + lane;
      if (count !== undefined && number >= count) break;
      const dueMs = gapMs === 0 ? performance.now() : startMs + turn * gapMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await wait(waitMs);
      if (isEnding()) break;
      await this.#deliver({ index: first + number, dueMs, sends: 0, latencyMs: Number.NaN });
    }
    this.#socket?.destroy();
  }

  /** Until it is acknowledged, or refused for good, or the whole load is abandoned. */
  async #deliver(message: Sent): Promise<void> {
    sent.push(message);
    const id = controlIdOf(message.index);
    const bytes = frame(buildMessage(message.index));
    while (!abandoned) {
      const answer = await this.#exchange(bytes, () => {
        message.sends += 1;
        if (message.sends > 1) resent += 1;
      });
      if (answer === undefined) {
        await wait(againMs);
        continue;
      }
      const [, code = '', about = ''] = /\rMSA\|([A-Z]*)\|([^|\r]*)/.exec(answer) ?? [];
      if (about !== id) {
        wrongAnswers += 1;
        this.#socket?.destroy();
        continue;
      }
      if (code === 'AA') {
        message.latencyMs = performance.now() - message.dueMs;
        slowestMs = Math.max(slowestMs, message.latencyMs);
        acknowledged += 1;
        return;
      }
      refused.push(`${code} ${id}`);
      if (code !== 'AR') return;
      await wait(refusedAgainMs);
    }
  }

  /** The answer; undefined where the connection is not there, is lost, or stays silent. */
  async #exchange(bytes: Buffer, onSend: () => void): Promise<string | undefined> {
    this.#socket ??= await this.#connect();
    const socket = this.#socket;
    if (socket === undefined) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), this.#load.answerTimeoutMs);
      this.#onAnswer = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      onSend();
      socket.write(bytes);
    });
  }

  #connect(): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.#load.port, host: '127.0.0.1', noDelay: true });
      const splitter = new FrameSplitter();
      socket.once('connect', () => resolve(socket));
      socket.on('data', (chunk) => {
        for (const content of splitter.read(chunk)) this.#onAnswer(content.toString('latin1'));
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (this.#socket === socket) this.#socket = undefined;
        resolve(undefined);
        this.#onAnswer(undefined);
      });
    });
  }
}

function start(load: Load): void {
  ending = false;
  const { from, to } = load;
  lanes = Array.from({ length: to - from }, (_, at) => new Lane(load).run(from + at));
}

/** It changes while a lane waits. */
function isEnding(): boolean {
  return ending;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

serveParent<SenderQuestion>(async (question) => {
  switch (question.kind) {
    case 'start':
      start(question.load);
      return undefined;
    case 'progress': {
      const progress: SenderProgress = {
        sent: sent.length,
        acknowledged,
        resent,
        refused: refused.length,
        slowestMs: Math.round(slowestMs),
      };
      slowestMs = 0;
      return progress;
    }
    case 'finish':
      ending = true;
      await Promise.all(lanes);
      return undefined;
    case 'done':
      await Promise.all(lanes);
      return undefined;
    case 'abandon':
      ending = true;
      abandoned = true;
      return undefined;
    case 'report':
      return {
        indexes: Int32Array.from(sent, ({ index }) => index),
        sends: Int32Array.from(sent, ({ sends }) => sends),
        latenciesMs: Float64Array.from(sent, ({ latencyMs }) => latencyMs),
        refused,
        wrongAnswers,
      } satisfies SenderReport;
  }
});
