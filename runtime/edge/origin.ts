import type { Received } from '../../core/ports/source.ts';

/** Where a message came from, for the ledger: `10.1.2.3:5123, connection 2575-17, certificate CN=lab.example`. */
export function describeOrigin({
  remote,
  connection,
}: Pick<Received, 'remote' | 'connection'>): string {
  if (connection === undefined) return remote;
  const { id, certificate } = connection;
  const holder = certificate === undefined ? '' : `, certificate ${certificate}`;
  return `${remote}, connection ${id}${holder}`;
}
