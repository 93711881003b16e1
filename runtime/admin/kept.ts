import { readFileIfAny, writeFileAtomically } from '../../connectors/file/write-file.ts';
import type { Cluster } from '../../core/ports/cluster.ts';

/** A text that outlives this process: what operators have decided. */
export interface Kept {
  /** Where it is, for people. */
  readonly where: string;
  read(): Promise<string | undefined>;
  /** Durable when it resolves. */
  write(text: string): Promise<void>;
}

/** In a file of the data folder. */
export function keptInFile(file: string): Kept {
  return {
    where: file,
    read: () => readFileIfAny(file),
    write: async (text) => {
      await writeFileAtomically(file, text);
    },
  };
}

/** Where all roles of an installation read it. */
export function keptInCluster(cluster: Cluster, name: string): Kept {
  return {
    where: `"${name}" in the database of HILUM_LEDGER_URL`,
    read: () => cluster.readKept(name),
    write: (text) => cluster.writeKept(name, text),
  };
}
