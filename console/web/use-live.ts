import { useEffect, useState } from 'react';
import { signedOutCode, type LiveMessage, type SessionView } from '../api/views.ts';
import { get, goToLogin } from './api.ts';

/** The newest snapshot; absent until the first has come. */
export type Snapshot = Extract<LiveMessage, { type: 'snapshot' }>;

export interface LiveState {
  readonly connection: 'connecting' | 'live' | 'reconnecting';
  readonly snapshot: Snapshot | undefined;
  /** Ledger or broker do not answer: why. What is shown is from before. */
  readonly fault: string | undefined;
  /** Server time minus browser time, in milliseconds: ages are right also on a machine whose clock is not. */
  readonly clockOffsetMs: number;
}

const silenceMs = 40_000;
const maxWaitMs = 10_000;

/** Live data over one websocket: connects again by itself, goes to the login when the session has ended. */
export function useLive(): LiveState {
  const [state, setState] = useState<LiveState>({
    connection: 'connecting',
    snapshot: undefined,
    fault: undefined,
    clockOffsetMs: 0,
  });
  useEffect(() => connect(setState), []);
  return state;
}

type Update = (change: (state: LiveState) => LiveState) => void;

function connect(update: Update): () => void {
  let socket: WebSocket | undefined;
  let timer: number | undefined;
  let failures = 0;
  let ended = false;

  const open = (): void => {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    const opened = new WebSocket(`${scheme}://${window.location.host}/api/live`);
    socket = opened;
    opened.onmessage = ({ data }: MessageEvent<string>) => {
      failures = 0;
      restartSilence();
      update((state) => take(state, JSON.parse(data) as LiveMessage));
    };
    opened.onclose = ({ code }) => {
      if (ended) return;
      clearTimeout(timer);
      if (code === signedOutCode) {
        goToLogin();
        return;
      }
      update((state) => ({ ...state, connection: 'reconnecting' }));
      failures += 1;
      // A refused handshake does not tell why: it may be a session that the server no longer knows.
      void leaveIfSignedOut();
      const waitMs = Math.min(maxWaitMs, 250 * 2 ** failures) * (0.75 + Math.random() / 2);
      timer = window.setTimeout(open, waitMs);
    };
    restartSilence();
  };
  const restartSilence = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => socket?.close(), silenceMs);
  };

  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}

async function leaveIfSignedOut(): Promise<void> {
  try {
    if (((await get('/api/session')) as SessionView).user === null) goToLogin();
  } catch {
    // Not reachable at all: the websocket tries again, and the page says that it does.
  }
}

function take(state: LiveState, message: LiveMessage): LiveState {
  const common = { ...state, clockOffsetMs: Date.parse(message.at) - Date.now() } as const;
  switch (message.type) {
    case 'snapshot':
      return { ...common, connection: 'live', snapshot: message, fault: undefined };
    case 'fault':
      return { ...common, connection: 'live', fault: message.message };
    case 'heartbeat':
      return { ...common, connection: 'live' };
  }
}
