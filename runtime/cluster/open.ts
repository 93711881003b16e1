import { openCluster } from '../../connectors/postgres/cluster.ts';
import type { Cluster } from '../../core/ports/cluster.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Settings } from '../settings.ts';

/** The cluster of this installation, in the database of its ledger. */
export function openOwnCluster({ ledger }: Settings, logger: Logger): Promise<Cluster> {
  if (ledger === undefined) throw new Error('A role of its own was expected to have a ledger URL.');
  return openCluster({ address: ledger, logger });
}
