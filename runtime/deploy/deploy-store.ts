import { recoverFileSet, writeFileSet } from '../../connectors/file/file-set.ts';
import { flowFolders, planFlowFiles } from '../../connectors/file/flow-store.ts';
import { readMappingFiles } from '../../connectors/file/mapping-files.ts';
import type { FlowNode } from '../../core/interface.ts';
import type { MappingFile } from '../../core/mapping/mapper.ts';
import type { Settings } from '../settings.ts';
import { toFiles } from './flow-files.ts';
import { credentialsFileOf, readCredentials, readFlows } from './storage.ts';

/** What a deploy consists of, as it is stored. */
export interface Stored {
  readonly flows: readonly FlowNode[];
  /** As Node-RED encrypts them. */
  readonly credentials: object;
  readonly mappings: readonly MappingFile[];
}

/** A deploy that is about to be stored. */
interface Change extends Stored {
  readonly before: readonly FlowNode[];
  readonly by: string;
  /** They are others than before. */
  readonly hasNewCredentials: boolean;
}

/** Where what is deployed is kept: a deploy is there as a whole, over any crash, or not at all. */
export interface DeployStore {
  /** Finishes what a crash has interrupted, and reads what is deployed. */
  open(): Promise<Stored>;
  /** The mappings as whoever edits them has them now. */
  readMappings(): Promise<readonly MappingFile[]>;
  /** Durable when it resolves. */
  save(change: Change): Promise<void>;
}

/** In the folders of the flows and of the data. */
export function storeInFiles(settings: Settings): DeployStore {
  const { flowsDirectory, dataDirectory, mappingsDirectory, deployJournal } = settings;
  const readMappings = () => readMappingFiles(mappingsDirectory);
  return {
    open: async () => {
      await recoverFileSet(deployJournal, [...flowFolders(flowsDirectory), dataDirectory]);
      return {
        flows: await readFlows(flowsDirectory),
        credentials: await readCredentials(dataDirectory),
        mappings: await readMappings(),
      };
    },
    readMappings,
    save: async ({ flows, credentials, hasNewCredentials }) => {
      const { write, remove } = await planFlowFiles(flowsDirectory, toFiles(flows));
      const text = `${JSON.stringify(credentials, null, 2)}\n`;
      const kept = hasNewCredentials ? [[credentialsFileOf(dataDirectory), text] as const] : [];
      await writeFileSet(deployJournal, { write: new Map([...write, ...kept]), remove });
    },
  };
}
