import type { Socket } from 'node:net';
import type { ProxyProtocol } from '../../core/interface.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { findForeignProtocol } from './foreign-protocol.ts';
import { buildAddressList, formatEndpoint, normalizeAddress } from './peer-address.ts';
import type { AddressList, Endpoint } from './peer-address.ts';
import { parseProxyHeader } from './proxy-protocol.ts';
import { readHead } from './read-head.ts';
import type { TlsServer } from './tls-server.ts';

/** A peer that may talk. */
export interface Admitted {
  readonly socket: Socket;
  readonly peer: Endpoint;
  /** The subject of its verified certificate. */
  readonly certificate?: string | undefined;
  /** To be called once when its connection is gone. */
  readonly leave: () => void;
}

/** Whom a listener lets in. */
interface AdmissionOptions {
  readonly allowedPeers?: readonly string[] | undefined;
  readonly maxConnectionsPerPeer: number;
  readonly proxyProtocol?: ProxyProtocol | undefined;
  readonly tls?: TlsServer | undefined;
  /** For the proxy's header, and for the first byte of a handshake. */
  readonly firstByteTimeoutMs: number;
  readonly logger: Logger;
}

/** Stands between accepting a connection and serving it. */
export interface Admission {
  /**
   * Hands the connection to `serve`, at once where nothing has to be read first. Who may not come in is
   * closed without a word, the reason in the log.
   */
  admit(socket: Socket, connection: string, serve: (admitted: Admitted) => void): void;
  /** Closes whoever is still at the door. */
  close(): void;
}

const tlsHandshakeRecord = 0x16;
const sampleBytes = 16;

/** Why somebody may not come in. */
interface Refusal {
  readonly code: string;
  readonly refusal: string;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { logger, proxyProtocol, tls, firstByteTimeoutMs } = options;
  const allowed = options.allowedPeers && buildAddressList(options.allowedPeers);
  const trusted = proxyProtocol && buildAddressList(proxyProtocol.trustedProxies);
  const perPeer = new Map<string, number>();
  const waiting = new Set<Socket>();

  function turnAway(
    socket: Socket,
    about: { readonly connection: string; readonly peer: Endpoint },
    { code, refusal }: Refusal,
  ): void {
    const { connection, peer } = about;
    const fields = { connection, remote: formatEndpoint(peer), code };
    logger.warn(fields, `An MLLP connection was turned away: ${refusal}`);
    socket.destroy();
  }

  /** Counts the peer in; the function counts it out. */
  function enter({ host }: Endpoint): (() => void) | Refusal {
    if (allowed?.includes(host) === false) {
      return { code: 'peer-not-allowed', refusal: 'its address is none of the allowed ones' };
    }
    const open = perPeer.get(host) ?? 0;
    if (open >= options.maxConnectionsPerPeer) {
      const refusal = `its address has ${open} connections already (maxConnectionsPerPeer)`;
      return { code: 'too-many-connections', refusal };
    }
    perPeer.set(host, open + 1);
    return () => {
      const left = (perPeer.get(host) ?? 1) - 1;
      if (left === 0) perPeer.delete(host);
      else perPeer.set(host, left);
    };
  }

  async function admitAfterReading(
    socket: Socket,
    connection: string,
    from: Endpoint,
  ): Promise<Admitted | undefined> {
    const peer = trusted === undefined ? from : await findPeer(socket, from, trusted);
    if ('refusal' in peer) {
      turnAway(socket, { connection, peer: from }, peer);
      return undefined;
    }
    const leave = enter(peer);
    if (typeof leave !== 'function') {
      turnAway(socket, { connection, peer }, leave);
      return undefined;
    }
    const through = tls === undefined ? { socket } : await shakeHands(tls, socket);
    if (!('refusal' in through) && !through.socket.destroyed) return { ...through, peer, leave };
    if ('refusal' in through) turnAway(socket, { connection, peer }, through);
    leave();
    return undefined;
  }

  /** Whose connection it is, by the proxy's header. */
  async function findPeer(
    socket: Socket,
    from: Endpoint,
    proxies: AddressList,
  ): Promise<Endpoint | Refusal> {
    if (!proxies.includes(from.host)) {
      const refusal = 'it does not come from one of the trusted proxies';
      return { code: 'proxy-not-trusted', refusal };
    }
    const head = await readHead(socket, {
      timeoutMs: firstByteTimeoutMs,
      parse: (bytes) => {
        const found = parseProxyHeader(bytes);
        if (found.kind === 'incomplete') return found;
        return { value: found, length: found.kind === 'header' ? found.length : 0 };
      },
    });
    if (!head.ok) {
      const refusal = `the proxy's header did not come (${head.reason} after ${head.bytes} bytes)`;
      return { code: 'proxy-header-missing', refusal };
    }
    if (head.value.kind === 'header') return head.value.source ?? from;
    const refusal = `expected the header of the PROXY protocol, found ${head.value.found}. Switch it on at the proxy, or off here.`;
    return { code: 'proxy-header-invalid', refusal };
  }

  async function shakeHands(
    server: TlsServer,
    socket: Socket,
  ): Promise<Pick<Admitted, 'socket' | 'certificate'> | Refusal> {
    const head = await readHead(socket, {
      timeoutMs: firstByteTimeoutMs,
      parse: (bytes) => ({ value: bytes.subarray(0, sampleBytes), length: 0 }),
    });
    if (!head.ok) {
      const refusal = `no TLS handshake began (${head.reason})`;
      return { code: 'tls-handshake-failed', refusal };
    }
    if (head.value[0] !== tlsHandshakeRecord) {
      const protocol = head.value[0] === 0x0b ? 'MLLP' : findForeignProtocol(head.value);
      const spoken = protocol === undefined ? '' : ` (${protocol})`;
      const refusal = `this port expects TLS, the peer speaks without it${spoken}. Switch TLS on at the peer.`;
      return { code: 'plain-text-at-tls-port', refusal };
    }
    const secured = await server.secure(socket);
    return typeof secured === 'string'
      ? { code: 'tls-handshake-failed', refusal: secured }
      : secured;
  }

  return {
    admit(socket, connection, serve) {
      const { remoteAddress, remotePort = 0 } = socket;
      if (remoteAddress === undefined) {
        // Reset before it was looked at.
        socket.destroy();
        return;
      }
      const from = { host: normalizeAddress(remoteAddress), port: remotePort };
      if (trusted === undefined && tls === undefined) {
        const leave = enter(from);
        if (typeof leave === 'function') serve({ socket, peer: from, leave });
        else turnAway(socket, { connection, peer: from }, leave);
        return;
      }
      const ignore = () => undefined;
      socket.on('error', ignore);
      waiting.add(socket);
      void admitAfterReading(socket, connection, from).then((admitted) => {
        waiting.delete(socket);
        if (admitted?.socket === socket) socket.off('error', ignore);
        if (admitted !== undefined) serve(admitted);
      });
    },
    close() {
      for (const socket of waiting) socket.destroy();
    },
  };
}
