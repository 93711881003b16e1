import path from 'node:path';
import { readFlowFiles } from '../../connectors/file/flow-store.ts';
import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { Earlier } from './stored.ts';
import { fromFiles, type FlowFiles } from './flow-files.ts';

/** Node-RED's storage API, as far as its runtime calls it. */
interface FlowStorage {
  init(): Promise<void>;
  getFlows(): Promise<readonly FlowNode[]>;
  saveFlows(flows: readonly FlowNode[], user?: Saver): Promise<void>;
  getCredentials(): Promise<object>;
  saveCredentials(credentials: object): Promise<void>;
  getSettings(): Promise<object>;
  saveSettings(settings: object): Promise<void>;
  getSessions(): Promise<object>;
  saveSessions(sessions: object): Promise<void>;
  getLibraryEntry(): Promise<readonly object[]>;
  saveLibraryEntry(): Promise<void>;
}

/** What is kept nowhere, in either storage. */
const unused = {
  init: () => Promise.resolve(),
  getSessions: () => Promise.resolve({}),
  saveSessions: () => Promise.resolve(),
  getLibraryEntry: () => Promise.resolve([]),
  saveLibraryEntry: () => Promise.resolve(),
};

/** What the editor hands over at a deploy. */
export interface Submission {
  readonly flows: readonly FlowNode[];
  /** As Node-RED stores them; absent: they have not changed. */
  readonly credentials?: object;
  /** Who deploys; absent: nobody who is known by name. */
  readonly by?: string;
  /** An earlier deploy is taken up again: what it had beside its flows. */
  readonly earlier?: Earlier;
}

/** Who saves, as Node-RED hands it through: what somebody has logged in as, or what {@link Submission} says. */
export interface Saver {
  readonly username?: string;
  readonly earlier?: Earlier;
}

/** The editor's storage: flows and credentials are one submission, which is taken as a whole or not at all. */
export function openEditorStorage(options: {
  /** Where the editor's own settings are kept. */
  readonly dataDirectory: string;
  /** What is deployed now, its credentials encrypted. */
  readonly stored: () => { readonly flows: readonly FlowNode[]; readonly credentials: object };
  /** Makes them durable and has them run. May refuse: then nothing is written and the editor shows why. */
  readonly deploy: (submission: Submission) => Promise<void>;
}): FlowStorage {
  const { dataDirectory, stored, deploy } = options;
  const settingsFile = path.join(dataDirectory, 'editor-settings.json');
  /** Node-RED says them before the flows, and once only: those of a refused deploy go with the next one. */
  let credentials: object | undefined;
  return {
    ...unused,
    getFlows: () => Promise.resolve(stored().flows),
    saveFlows: async (flows, user) => {
      await deploy({
        flows,
        ...(credentials === undefined ? {} : { credentials }),
        ...(user?.username === undefined ? {} : { by: user.username }),
        ...(user?.earlier === undefined ? {} : { earlier: user.earlier }),
      });
      credentials = undefined;
    },
    getCredentials: () => Promise.resolve(stored().credentials),
    saveCredentials: (changed) => {
      credentials = changed;
      return Promise.resolve();
    },
    getSettings: async () => ({
      ...((await readJson(settingsFile)) ?? {}),
      // Flows are stored and shown here, never run.
      runtimeFlowState: 'stop',
    }),
    saveSettings: async (settings) => {
      await writeFileAtomically(settingsFile, `${JSON.stringify(settings, null, 2)}\n`);
    },
  };
}

/** A worker's storage: what it was given at its start. Nothing is stored. */
export function openWorkerStorage(options: {
  readonly flows: readonly FlowNode[];
  /** Encrypted. */
  readonly credentials: object;
}): FlowStorage {
  return {
    ...unused,
    getFlows: () => Promise.resolve(options.flows),
    saveFlows: () => Promise.resolve(),
    getCredentials: () => Promise.resolve(options.credentials),
    saveCredentials: () => Promise.resolve(),
    getSettings: () => Promise.resolve({ runtimeFlowState: 'start' }),
    saveSettings: () => Promise.resolve(),
  };
}

/** All flows of the folder, in the order of the tabs. */
export async function readFlows(flowsDirectory: string): Promise<readonly FlowNode[]> {
  return fromFiles((await readFlowFiles(flowsDirectory)) as FlowFiles);
}

/** The file of the flows' credentials, as Node-RED encrypts them. */
export function credentialsFileOf(dataDirectory: string): string {
  return path.join(dataDirectory, 'credentials.json');
}

/** The stored credentials, encrypted as they are; nothing where there are none. */
export async function readCredentials(dataDirectory: string): Promise<object> {
  return (await readJson(credentialsFileOf(dataDirectory))) ?? {};
}

async function readJson(file: string): Promise<object | undefined> {
  const text = await readFileIfAny(file);
  return text === undefined ? undefined : (JSON.parse(text) as object);
}
