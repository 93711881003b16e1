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

/**
 * Where all roles read it, with a copy in a file of this one's: who starts while the cluster is away begins with the copy.
 * From then on it is the cluster's: what operators decide meanwhile is not missed. Holds a list, as JSON.
 */
export function keptInBoth(inCluster: Kept, inFile: Kept): Kept {
  let isFirst = true;
  const read = async (): Promise<string | undefined> => {
    const text = await inCluster.read();
    await inFile.write(text ?? '[]');
    return text;
  };
  return {
    where: `${inCluster.where}, or in ${inFile.where}`,
    read: async () => {
      const mayBeCopy = isFirst;
      isFirst = false;
      try {
        return await read();
      } catch (error) {
        const copy = mayBeCopy ? await inFile.read() : undefined;
        if (copy === undefined) throw error;
        return copy;
      }
    },
    write: (text) => inCluster.write(text),
  };
}
