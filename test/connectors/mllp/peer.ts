import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Logger } from '../../../core/ports/logger.ts';
import type { SourcePeer } from '../../contract/source.ts';

/** A sender on a raw socket: what it reads and writes owes nothing to the product. */
export interface RawPeer extends SourcePeer {
  readonly socket: Socket;
  /** Bytes as they are. */
  write(bytes: string | Uint8Array): void;
}

export async function connectRaw(address: {
  readonly host: string;
  readonly port: number;
}): Promise<RawPeer> {
  const socket = connect({ ...address, noDelay: true });
  await once(socket, 'connect');
  return speak(socket);
}

/** The same over TLS; rejects where the handshake fails on this side. */
export async function connectRawTls(
  address: { readonly host: string; readonly port: number },
  options: ConnectionOptions,
): Promise<RawPeer> {
  const socket = connectTls({ ...address, ...options });
  socket.once('error', () => undefined);
  await once(socket, 'secureConnect');
  return speak(socket);
}

/** Speaks MLLP on a socket that is open. */
function speak(socket: Socket): RawPeer {
  const answers: string[] = [];
  const waiting: { resolve: (answer: string) => void; reject: (error: Error) => void }[] = [];
  let text = '';
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\x1c\r'); end !== -1; end = text.indexOf('\x1c\r')) {
      const answer = text.slice(1, end);
      text = text.slice(end + 2);
      const first = waiting.shift();
      if (first === undefined) answers.push(answer);
      else first.resolve(answer);
    }
  });
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      for (const { reject } of waiting.splice(0)) reject(new Error('closed without an answer'));
      resolve();
    });
  });
  return {
    socket,
    closed,
    write: (bytes) => void socket.write(bytes),
    send: (message) => void socket.write(`\x0b${message}\x1c\r`),
    answer() {
      const first = answers.shift();
      if (first !== undefined) return Promise.resolve(first);
      if (isClosed) return Promise.reject(new Error('closed without an answer'));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    close: () => socket.destroy(),
  };
}

/** A logger that keeps every line, to look for reasons in it and for what must not be there. */
export function createLogRecorder(): Logger & {
  readonly lines: string[];
  /** The next line that holds the text, or one that did. */
  line(text: string): Promise<string>;
} {
  const lines: string[] = [];
  const logged = new EventEmitter();
  const note = (fields: object, message: string) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
    logged.emit('line');
  };
  return {
    lines,
    async line(text) {
      for (;;) {
        const found = lines.find((each) => each.includes(text));
        if (found !== undefined) return found;
        await once(logged, 'line');
      }
    },
    debug: note,
    info: note,
    warn: note,
    error: note,
  };
}
