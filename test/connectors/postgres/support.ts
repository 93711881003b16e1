import { parseAddress, type LedgerAddress } from '../../../connectors/postgres/address.ts';
import { openPostgres, type PostgresStore } from '../../../connectors/postgres/open.ts';
import { silent } from '../../runtime/owner.ts';

/** The address of a test's database. */
export function toAddress(url: string): LedgerAddress {
  const parsed = parseAddress(url);
  if (!parsed.ok) throw new Error(parsed.problems.join(' '));
  return parsed.address;
}

export function openStore(url: string): Promise<PostgresStore> {
  return openPostgres({ address: toAddress(url), logger: silent, isStrict: true });
}
