import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

/** What a node tells of itself. */
interface Registration {
  readonly port: number;
  readonly nodeType: number;
  readonly protocol: number;
  readonly highestVersion: number;
  readonly lowestVersion: number;
}

/** The nodes of one cluster by the part of their names before the `@`, whichever of its port mappers knows them. */
export type Registry = Map<string, Registration>;

/** Where Erlang nodes of one machine ask for each other's ports. */
export interface PortMapper {
  /** For ERL_EPMD_PORT. */
  readonly port: number;
  close(): Promise<void>;
}

const request = { alive: 120, port: 122, names: 110 } as const;
const answer = { alive: 121, port: 119 } as const;

/**
 * Erlang's port mapper for one node, which sends that node wherever it is told: `portOf` says where another is to be
 * reached, so that each pair of nodes can have a network of its own in between. Port mapper protocol as the
 * distribution protocol of Erlang/OTP has it (ALIVE2, PORT_PLEASE2, NAMES). Whom it does not know, such as a command,
 * is where it says that it is.
 */
export async function openPortMapper(
  registry: Registry,
  portOf: (node: string) => number | undefined,
): Promise<PortMapper> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let bytes = Buffer.alloc(0);
    let registered: string | undefined;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      if (registered !== undefined) registry.delete(registered);
    });
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE()) return;
      const asked = bytes.subarray(2, 2 + bytes.readUInt16BE());
      bytes = bytes.subarray(2 + asked.length);
      if (asked[0] === request.alive) {
        // It stays registered for as long as the connection is open.
        registered = register(registry, asked);
        socket.write(Buffer.from([answer.alive, 0, 0, 1]));
      } else if (asked[0] === request.port) {
        socket.end(buildPortAnswer(registry, { name: asked.toString('utf8', 1), portOf }));
      } else if (asked[0] === request.names) {
        socket.end(buildNames(registry, { port, portOf }));
      } else {
        socket.destroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function register(registry: Registry, asked: Buffer): string {
  const name = asked.toString('utf8', 11, 11 + asked.readUInt16BE(9));
  registry.set(name, {
    port: asked.readUInt16BE(1),
    nodeType: asked.readUInt8(3),
    protocol: asked.readUInt8(4),
    highestVersion: asked.readUInt16BE(5),
    lowestVersion: asked.readUInt16BE(7),
  });
  return name;
}

function buildPortAnswer(
  registry: Registry,
  {
    name,
    portOf,
  }: { readonly name: string; readonly portOf: (node: string) => number | undefined },
): Buffer {
  const node = registry.get(name);
  const port = portOf(name) ?? node?.port;
  if (node === undefined || port === undefined) return Buffer.from([answer.port, 1]);
  const nameBytes = Buffer.from(name);
  const fixed = Buffer.alloc(12);
  fixed.writeUInt8(answer.port, 0);
  fixed.writeUInt16BE(port, 2);
  fixed.writeUInt8(node.nodeType, 4);
  fixed.writeUInt8(node.protocol, 5);
  fixed.writeUInt16BE(node.highestVersion, 6);
  fixed.writeUInt16BE(node.lowestVersion, 8);
  fixed.writeUInt16BE(nameBytes.length, 10);
  return Buffer.concat([fixed, nameBytes, Buffer.alloc(2)]);
}

function buildNames(
  registry: Registry,
  {
    port,
    portOf,
  }: { readonly port: number; readonly portOf: (node: string) => number | undefined },
): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(port);
  const lines = [...registry.keys()].map((name) => `name ${name} at port ${portOf(name) ?? 0}\n`);
  return Buffer.concat([head, Buffer.from(lines.join(''))]);
}
