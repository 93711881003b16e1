import path from 'node:path';
import { connectOwner, type OwnerClient } from '../../connectors/sqlite/client.ts';
import { openOwner, type Owner } from '../../connectors/sqlite/owner.ts';
import type { InterfaceDefinitions, ListenerDefinition } from '../../core/interface.ts';
import type { EndpointState } from '../../runtime/process/messages.ts';
import { Edge } from '../../runtime/edge/edge.ts';
import { connectRaw, connectRawTls, createLogRecorder } from '../connectors/mllp/peer.ts';
import type { RawPeer } from '../connectors/mllp/peer.ts';
import { makeAuthority, type Authority, type Issued } from '../support/certificates.ts';
import { makeTempFolder } from '../support/temp.ts';

const queue = 'in.listener';
const folder = makeTempFolder('edge-connections');
let authority: Authority;
let server: Issued;
let client: Issued;
let owner: Owner;
let stores: OwnerClient;
let edge: Edge;
let endpoints: EndpointState[];

beforeAll(async () => {
  authority = await makeAuthority(folder, 'authority');
  server = await authority.issue({ name: 'hilum.example' });
  client = await authority.issue({ name: 'lab.example' });
});

beforeEach(async () => {
  const logger = createLogRecorder();
  const own = makeTempFolder('edge-stores');
  const socket = path.join(own, 'owner.sock');
  owner = await openOwner({ file: path.join(own, 'hilum.db'), socket, logger });
  stores = await connectOwner({ socket, logger });
  endpoints = [];
  edge = new Edge({
    broker: stores.broker,
    ledger: stores.ledger,
    logger,
    clock: Date.now,
    listenAgainMs: 60_000,
    onEndpoint: (endpoint) => endpoints.push(endpoint),
  });
});

afterEach(async () => {
  await edge.stop();
  await stores.close();
  await owner.close();
});

function listen(rest: Partial<ListenerDefinition>): Promise<void> {
  const listener: ListenerDefinition = {
    kind: 'mllp',
    id: 'listener',
    interface: 'lab',
    label: 'Lab results',
    host: '127.0.0.1',
    port: 0,
    acknowledge: 'received',
    queue,
    maxFrameBytes: 1_000_000,
    idleTimeoutMs: 0,
    ...rest,
  };
  const definitions: InterfaceDefinitions = {
    listeners: [listener],
    senders: [],
    queues: [{ name: queue, interface: 'lab' }],
  };
  return edge.apply(definitions);
}

const address = () => ({
  host: '127.0.0.1',
  port: Number(endpoints.at(-1)?.detail.split(':').at(-1)),
});

/** Sends one message; gives what the ledger says of where it came from. */
async function sendBy(peer: RawPeer, message: string): Promise<string | undefined> {
  peer.send(message);
  await peer.answer();
  const { port } = peer.socket.address() as { port: number };
  peer.close();
  const [newest] = await stores.ledger.find({}, { limit: 1 });
  const trace = await stores.ledger.trace(newest?.id ?? '');
  const event = trace?.events.find(({ kind }) => kind === 'received' || kind === 'refused');
  return event?.summary?.replace(String(port), 'PORT');
}

const message = 'MSH|^~\\&|LAB|A|EHR|B|20260101||ORU^R01^ORU_R01|C1|P|2.5.1\rPID|1\r';

describe('the ledger says by which connection a message came', () => {
  it('in plain text', async () => {
    await listen({});
    const { port } = address();
    expect(await sendBy(await connectRaw(address()), message)).toBe(
      `Lab results from 127.0.0.1:PORT, connection ${port}-1`,
    );
  });

  it('over TLS, with the certificate', async () => {
    await listen({
      tls: {
        identity: server.files,
        clientCertificates: 'required',
        authorities: authority.file,
      },
    });
    const { port } = address();
    const peer = await connectRawTls(address(), {
      ca: authority.pem,
      servername: 'hilum.example',
      cert: client.certificate,
      key: client.key,
    });
    expect(await sendBy(peer, message)).toBe(
      `Lab results from 127.0.0.1:PORT, connection ${port}-1, certificate CN=lab.example,O=Hilum tests`,
    );
  });

  it('that was refused', async () => {
    await listen({});
    const { port } = address();
    const refused = message.replace('|C1|', '||');
    expect(await sendBy(await connectRaw(address()), refused)).toBe(
      `Lab results from 127.0.0.1:PORT, connection ${port}-1, answered AR`,
    );
  });

  it('behind a proxy', async () => {
    await listen({ proxyProtocol: { trustedProxies: ['127.0.0.1'] } });
    const { port } = address();
    const peer = await connectRaw(address());
    peer.write('PROXY TCP4 10.1.2.3 10.0.0.9 5123 2575\r\n');
    expect(await sendBy(peer, message)).toBe(
      `Lab results from 10.1.2.3:5123, connection ${port}-1`,
    );
  });
});

describe('a listener', () => {
  it('applies its limits', async () => {
    await listen({ limits: { maxConnectionsPerPeer: 1 } });
    const first = await connectRaw(address());
    const second = await connectRaw(address());
    await second.closed;
    first.close();
  });

  it('whose certificate cannot be read says so as its state', async () => {
    const identity = { certificate: '/nowhere/lab.pem', key: '/nowhere/lab.key' };
    await listen({ tls: { identity, clientCertificates: 'off' } });
    expect(endpoints.at(-1)).toMatchObject({ state: 'failed' });
    expect(endpoints.at(-1)?.detail).toContain('/nowhere/lab.pem');
  });
});
