import { connect, type Socket } from 'node:net';

const start = 0x0b;
const end = Buffer.from([0x1c, 0x0d]);

/** A partner's connection written for the tests alone: what it reads and writes owes nothing to the product. */
export class MllpPartner {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  readonly #waiting: { resolve: (answer: string) => void; reject: (error: Error) => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#onData(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error('closed without an answer'));
    });
  }

  static connect(port: number): Promise<MllpPartner> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        resolve(new MllpPartner(socket));
      });
    });
  }

  /** Sends one message; resolves with the answer, rejects when the connection closes first. */
  send(message: string | Uint8Array): Promise<string> {
    return this.write(Buffer.concat([Buffer.from([start]), Buffer.from(message), end]));
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const at = this.#received.indexOf(end);
      if (at < 0) return;
      const answer = this.#received.subarray(1, at).toString('utf8');
      this.#received = this.#received.subarray(at + end.length);
      this.#waiting.shift()?.resolve(answer);
    }
  }
}

/** MSA-1 and MSA-2 of an answer, such as `AA LAB000001`. */
export function readAnswer(answer: string): string {
  const msa = answer.split('\r').find((line) => line.startsWith('MSA'));
  const [, code = '', controlId = ''] = msa?.split('|') ?? [];
  return `${code} ${controlId}`;
}
