import path from 'node:path';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../connectors/sqlite/owner.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { newId } from '../../runtime/ids.ts';
import { makeTempFolder } from '../support/temp.ts';

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A real owner on a folder of its own; it can be ended and opened again on the same file. */
export class OwnerHere {
  readonly #folder = makeTempFolder('runtime');
  readonly #clients: OwnerClient[] = [];
  #owner: Owner | undefined;

  async open(): Promise<void> {
    const file = path.join(this.#folder, 'hilum.db');
    this.#owner = await openOwner({ file, socket: this.socket, logger: silent });
  }

  async connect(): Promise<OwnerClient> {
    const client = await connectOwner({ socket: this.socket, logger: silent });
    this.#clients.push(client);
    return client;
  }

  /** The owner goes; its clients stay and connect again. */
  async leave(): Promise<void> {
    await this.#owner?.close();
    this.#owner = undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await this.leave();
  }

  /** Where it answers. */
  get socket(): string {
    return path.join(this.#folder, 'owner.sock');
  }
}

/** An invented message; what is not given follows from `controlId`. */
export function buildMessage(controlId: string, given: Partial<Envelope> = {}): Envelope {
  const id = newId(Date.now());
  return {
    id,
    interface: 'lab',
    contentType: 'application/hl7-v2',
    controlId,
    correlationId: id,
    receivedAt: new Date().toISOString(),
    attempt: 1,
    body: Buffer.from(
      `MSH|^~\\&|LIS|TESTLAB|HILUM|EHR|20261101||ORU^R01^ORU_R01|${controlId}|P|2.5.1\r`,
    ),
    ...given,
  };
}
