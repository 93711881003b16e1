import path from 'node:path';
import { readFlowFiles, writeFlowFiles } from '../../connectors/file/flow-store.ts';
import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { FlowNode } from '../../core/interface.ts';
import { fromFiles, toFiles, type FlowFiles } from './flow-files.ts';

/** Node-RED's storage API, as far as its runtime calls it. */
export interface FlowStorage {
  init(): Promise<void>;
  getFlows(): Promise<readonly FlowNode[]>;
  saveFlows(flows: readonly FlowNode[]): Promise<void>;
  getCredentials(): Promise<object>;
  saveCredentials(credentials: object): Promise<void>;
  getSettings(): Promise<object>;
  saveSettings(settings: object): Promise<void>;
  getSessions(): Promise<object>;
  saveSessions(sessions: object): Promise<void>;
  getLibraryEntry(): Promise<readonly object[]>;
  saveLibraryEntry(): Promise<void>;
}

interface Options {
  readonly flowsDirectory: string;
  /** Where credentials and the editor's own settings are kept. */
  readonly dataDirectory: string;
  /** `stop`: flows are stored and shown, never run here. */
  readonly flowState: 'start' | 'stop';
  /** May refuse: then nothing is written and the editor shows why. */
  readonly beforeSave?: (flows: readonly FlowNode[]) => void;
  readonly afterSave?: (flows: readonly FlowNode[], changed: readonly string[]) => void;
}

/** Flows as one file a tab, for the editor (writes) and the workers (read). */
export function openFlowStorage(options: Options): FlowStorage {
  const { flowsDirectory, dataDirectory, flowState } = options;
  const readJson = async (name: string): Promise<object> => {
    const text = await readFileIfAny(path.join(dataDirectory, name));
    return text === undefined ? {} : (JSON.parse(text) as object);
  };
  const writeJson = async (name: string, content: object): Promise<void> => {
    if (flowState === 'start') return;
    await writeFileAtomically(
      path.join(dataDirectory, name),
      `${JSON.stringify(content, null, 2)}\n`,
    );
  };
  return {
    init: () => Promise.resolve(),
    getFlows: () => readFlows(flowsDirectory),
    saveFlows: async (flows) => {
      if (flowState === 'start') return;
      options.beforeSave?.(flows);
      const changed = await writeFlowFiles(flowsDirectory, toFiles(flows));
      options.afterSave?.(flows, changed);
    },
    getCredentials: () => readJson('credentials.json'),
    saveCredentials: (credentials) => writeJson('credentials.json', credentials),
    getSettings: async () => ({
      ...(await readJson('editor-settings.json')),
      runtimeFlowState: flowState,
    }),
    saveSettings: (settings) => writeJson('editor-settings.json', settings),
    getSessions: () => Promise.resolve({}),
    saveSessions: () => Promise.resolve(),
    getLibraryEntry: () => Promise.resolve([]),
    saveLibraryEntry: () => Promise.resolve(),
  };
}

/** All flows of the folder, in the order of the tabs. */
export async function readFlows(flowsDirectory: string): Promise<readonly FlowNode[]> {
  return fromFiles((await readFlowFiles(flowsDirectory)) as FlowFiles);
}
