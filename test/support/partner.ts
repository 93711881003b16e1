import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A partner that receives over MLLP on a port of its own: which control ids it got, and whether it answers. */
export async function openPartner(
  answers: boolean,
  port = 0,
): Promise<{
  readonly port: number;
  readonly got: string[];
  /** What came with each of them, as it was read. */
  readonly texts: string[];
  close(): void;
}> {
  const got: string[] = [];
  const texts: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const [, id = ''] of chunk.toString('latin1').matchAll(/\|ORU[^|]*\|(LAB\d+)\|/g)) {
        got.push(id);
        texts.push(chunk.toString('latin1'));
        if (answers) socket.write(`\x0bMSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|${id}\r\x1c\r`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    got,
    texts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** What a partner says to a message: an acknowledgment code, nothing, or it ends the connection. */
export type PartnerWord = 'AA' | 'AE' | 'AR' | 'silence' | 'end';

/** A partner that says to each control id what it is told to, on a port of its own or the one given. */
export async function openTalkingPartner(
  say: (controlId: string) => PartnerWord,
  port = 0,
): Promise<{
  readonly port: number;
  readonly got: readonly string[];
  /** Says it now, to whoever is connected. */
  say(controlId: string, word: 'AA' | 'AE' | 'AR'): void;
  close(): Promise<void>;
}> {
  const got: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const [, id = ''] of chunk.toString('latin1').matchAll(/\|ORU[^|]*\|([^|]+)\|/g)) {
        got.push(id);
        const word = say(id);
        if (word === 'end') socket.destroy();
        else if (word !== 'silence') socket.write(toAcknowledgment(id, word));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    got,
    say: (id, word) => {
      for (const socket of sockets) socket.write(toAcknowledgment(id, word));
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function toAcknowledgment(id: string, code: string): string {
  return `\x0bMSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|${code}|${id}\r\x1c\r`;
}
