import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { openRabbitBroker } from '../../../connectors/rabbitmq/broker.ts';
import { findFailure } from '../../../core/errors.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { Logger } from '../../../core/ports/logger.ts';
import { makeAuthority, type Authority, type Issued } from '../../support/certificates.ts';
import { describeWith } from '../../support/programs.ts';
import type { RabbitServer } from '../../support/rabbitmq.ts';
import { startRabbit } from '../../support/rabbitmq.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A call that fails at once where a cluster's first member is away, or TLS is refused. */
const soonMs = 3_000;

describeWith('rabbitmq-server', 'how RabbitMQ is reached', () => {
  let server: RabbitServer;
  let folder: string;
  let authority: Authority;
  let client: Issued;
  /** TLS in front of the server, that asks for a certificate; which names have come. */
  let front: Server;
  const names: (string | undefined)[] = [];

  beforeAll(async () => {
    server = await startRabbit();
    folder = mkdtempSync(join(tmpdir(), 'hilum-access-'));
    authority = await makeAuthority(folder, 'authority');
    client = await authority.issue({ name: 'hilum' });
    const { certificate, key } = await authority.issue({ name: 'rabbit', dns: ['rabbit.test'] });
    front = createServer(
      { cert: certificate, key, ca: authority.pem, requestCert: true, rejectUnauthorized: true },
      (inner) => {
        const { subject } = inner.getPeerCertificate();
        names.push(typeof subject.CN === 'string' ? subject.CN : undefined);
        const outer = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
        for (const socket of [inner, outer]) {
          socket.on('error', () => undefined);
          socket.on('close', () => {
            inner.destroy();
            outer.destroy();
          });
        }
        inner.pipe(outer);
        outer.pipe(inner);
      },
    );
    front.on('tlsClientError', () => undefined);
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
  }, 120_000);

  afterAll(async () => {
    front.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const url = (): string =>
    `amqps://guest:guest@127.0.0.1:${(front.address() as AddressInfo).port}`;

  it('goes by TLS, trusts the authority of the file and shows its own certificate', async () => {
    const { certificate, key } = client.files;
    const broker = await openRabbitBroker({
      url: url(),
      access: { ca: authority.file, certificate, key, serverName: 'rabbit.test' },
      logger: silent,
      prefix: 'tls',
    });
    try {
      await broker.declare({ name: 'in.test', interface: 'tab-1' });
      await broker.publish('in.test', envelope);
      expect(await broker.depths()).toMatchObject([{ queue: 'in.test', ready: 1 }]);
      expect(names).toEqual(['hilum', 'hilum']);
    } finally {
      await broker.close();
    }
  });

  it.each([
    ['another name than that of the certificate', { serverName: 'other.test' }],
    ['no certificate of its own', { certificate: undefined, key: undefined }],
    ['no trust in the authority', { ca: undefined }],
  ])('does not connect with %s', async (_, change) => {
    const { certificate, key } = client.files;
    const access = { ca: authority.file, certificate, key, serverName: 'rabbit.test', ...change };
    const opening = openRabbitBroker({
      url: url(),
      access,
      logger: silent,
      connectTimeoutMs: soonMs,
    });
    const failure = await opening.then(
      () => undefined,
      (error: unknown) => findFailure(error),
    );
    expect(failure?.issues[0]?.code).toBe('broker-unavailable');
  });

  it('goes to the next host, with the password that its file has by then', async () => {
    const passwordFile = join(folder, 'password');
    await server.ctl('add_user', 'rotating', 'before');
    await server.ctl('set_permissions', 'rotating', '.*', '.*', '.*');
    writeFileSync(passwordFile, 'before\n');
    const proxy = await openTcpProxy({ port: server.port });
    const broker = await openRabbitBroker({
      // Nobody answers at the first: the second is as good.
      url: `amqp://rotating@127.0.0.1:1,amqp://rotating@127.0.0.1:${proxy.port}`,
      access: { passwordFile },
      logger: silent,
      prefix: 'rotating',
    });
    try {
      await broker.declare({ name: 'in.test', interface: 'tab-1' });
      await broker.publish('in.test', envelope);
      await server.ctl('change_password', 'rotating', 'after');
      writeFileSync(passwordFile, 'after\n');
      proxy.cut();
      await broker.publish('in.test', { ...envelope, id: 'another' });
    } finally {
      await broker.close();
      await proxy.close();
    }
    // rabbitmqctl takes seconds, on a busy machine many.
  }, 120_000);
});

const envelope: Envelope = {
  id: '018f2c5e-0000-7000-8000-000000000001',
  interface: 'tab-1',
  contentType: 'application/hl7-v2',
  correlationId: '018f2c5e-0000-7000-8000-000000000001',
  receivedAt: '2026-01-02T03:04:05.678Z',
  attempt: 1,
  body: Buffer.from('MSH|^~\\&|\r'),
};
