import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { editorPath } from './guard.ts';
import { isSameOrigin } from './http.ts';
import { closeSignedOut, type Live } from './live.ts';
import { findSessionId, type Sessions } from './sessions.ts';
import type { UserView } from './views.ts';

export interface UpgradeOptions {
  readonly sessions: Sessions;
  readonly live: Live;
  readonly authenticate: (cookieHeader: string | undefined) => Promise<UserView | null>;
}

/**
 * Goes before the editor's own listener, which checks neither where a page came from nor whether its session
 * has ended since: a foreign page loses its cookie and its connection, and every websocket is bound to the
 * session that opened it. Serves `/api/live`. Returns the function that lets go of the server.
 */
export function attachUpgrades(server: Server, options: UpgradeOptions): () => void {
  const { sessions, live, authenticate } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const path = toPath(request.url);
    if (!isSameOrigin(request)) {
      // Without the cookie the editor's listener, which runs after this one, cannot admit it either.
      delete request.headers.cookie;
      refuse(socket, '403 Forbidden');
    } else if (path === '/api/live') {
      void openLive(request, socket, head);
    } else if (path.startsWith(`${editorPath}/`)) {
      const release = sessions.bind(findSessionId(request.headers.cookie), () => socket.destroy());
      socket.on('close', release);
    } else refuse(socket, '404 Not Found');
  };

  async function openLive(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const id = findSessionId(request.headers.cookie);
    const user = await authenticate(request.headers.cookie).catch(() => null);
    if (user === null) {
      refuse(socket, '401 Unauthorized');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const release = sessions.bind(id, () => closeSignedOut(webSocket));
      webSocket.on('close', release);
      live.watch(webSocket, () => sessions.peek(id) !== undefined);
    });
  }

  server.prependListener('upgrade', onUpgrade);
  return () => {
    server.off('upgrade', onUpgrade);
    sockets.close();
  };
}

function toPath(url: string | undefined): string {
  const base = 'http://console';
  return URL.canParse(url ?? '', base) ? new URL(url ?? '', base).pathname : '';
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
