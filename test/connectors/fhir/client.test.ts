import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { startDemoEhr } from '../../../connectors/demo/ehr.ts';
import { createFhirDestination } from '../../../connectors/fhir/client.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { Outcome } from '../../../core/outcome.ts';
import type { Logger } from '../../../core/ports/logger.ts';
import { describeDestination } from '../../contract/destination.ts';
import type { PartnerBehaviour } from '../../contract/destination.ts';

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

type Answerer = (response: ServerResponse, body: string) => void;

/** An HTTP server whose answers the test decides. */
async function startPartner(initial: Answerer) {
  let answer = initial;
  const requests: { readonly line: string; readonly body: string }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, body });
      answer(response, body);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    requests,
    sockets,
    answerWith: (next: Answerer) => {
      answer = next;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function says(status: number, body: unknown = {}): Answerer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/fhir+json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

const definition = {
  kind: 'fhir',
  id: 'out',
  interface: 'tests',
  label: 'a server',
  queue: 'out.out',
  timeoutMs: 500,
  concurrency: 3,
} as const;

const post = { resource: { resourceType: 'Basic' }, request: { method: 'POST', url: 'Basic' } };
const created = { response: { status: '201 Created' } };

const behaviours: Readonly<Record<PartnerBehaviour, Answerer>> = {
  accepts: says(200, { resourceType: 'Bundle', type: 'transaction-response', entry: [created] }),
  refuses: says(422),
  'is busy': says(503),
  'is silent': () => undefined,
  'breaks off': (response) => void response.destroy(),
  babbles: says(200, 'All OK'),
};

describeDestination('FHIR', {
  contentType: 'application/fhir+json',
  async open() {
    const partner = await startPartner(behaviours.accepts);
    return {
      destination: createFhirDestination({ ...definition, baseUrl: partner.url }, { logger }),
      concurrency: definition.concurrency,
      behave: (behaviour) => partner.answerWith(behaviours[behaviour]),
      received: () => partner.requests.length,
      connections: () => partner.sockets.size,
      stopPartner: partner.stop,
      body: () => JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [post] }),
      close: partner.stop,
    };
  },
});

describe('FHIR destination', () => {
  let partner: Awaited<ReturnType<typeof startPartner>>;

  beforeEach(async () => {
    partner = await startPartner(behaviours.accepts);
  });

  afterEach(() => partner.stop());

  async function deliver(resource: unknown, baseUrl = partner.url): Promise<Outcome> {
    const destination = createFhirDestination({ ...definition, baseUrl }, { logger });
    const envelope: Envelope = {
      id: 'a-message',
      interface: 'tests',
      contentType: 'application/fhir+json',
      correlationId: 'a-message',
      receivedAt: '2026-01-01T00:00:00.000Z',
      attempt: 1,
      body: Buffer.from(typeof resource === 'string' ? resource : JSON.stringify(resource)),
    };
    const outcome = await destination.deliver(envelope, new AbortController().signal);
    await destination.close();
    return outcome;
  }

  const put = (identifier: string) => ({
    resource: { resourceType: 'Patient', identifier: [{ system: 'urn:x', value: identifier }] },
    request: { method: 'PUT', url: `Patient?identifier=urn:x|${identifier}` },
  });
  const bundle = (...entry: unknown[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });
  const answered = (...statuses: string[]) => ({
    resourceType: 'Bundle',
    type: 'transaction-response',
    entry: statuses.map((status) => ({ response: { status } })),
  });

  it.each([
    ['a transaction', bundle(post), 'POST /fhir'],
    ['a batch', { ...bundle(post), type: 'batch' }, 'POST /fhir'],
    ['a Bundle that is only data', { ...bundle(), type: 'collection' }, 'POST /fhir/Bundle'],
    ['a resource with an id', { resourceType: 'Patient', id: 'p1' }, 'PUT /fhir/Patient/p1'],
    ['a resource without one', { resourceType: 'Patient' }, 'POST /fhir/Patient'],
  ])('sends %s where it belongs', async (_name, resource, line) => {
    await deliver(resource);
    expect(partner.requests).toEqual([{ line, body: JSON.stringify(resource) }]);
  });

  it.each([
    ['no JSON', 'MSH|'],
    ['no resource', '{"a":1}'],
    ['an entry without a request', bundle({ resource: {} })],
  ])('refuses %s for good and sends nothing', async (_name, body) => {
    expect((await deliver(body)).kind).toBe('permanent');
    expect(partner.requests).toEqual([]);
  });

  it('sums up what happened to the entries', async () => {
    partner.answerWith(says(200, answered('201 Created', '200 OK', '200', '304')));
    const conditional = { ...post, request: { ...post.request, ifNoneExist: 'identifier=a' } };
    expect(await deliver(bundle(put('1'), put('2'), conditional, put('3')))).toMatchObject({
      kind: 'delivered',
      summary: '200 OK, 4 entries (1 created, 1 updated, 1 unchanged, 1 found)',
    });
  });

  // What the server said, for an idempotent Bundle and for one that is not.
  it.each([
    [400, 'permanent', 'permanent'],
    [401, 'transient', 'transient'],
    [404, 'permanent', 'permanent'],
    [408, 'transient', 'transient'],
    [409, 'transient', 'transient'],
    [412, 'permanent', 'permanent'],
    [422, 'permanent', 'permanent'],
    [429, 'transient', 'transient'],
    [500, 'transient', 'ambiguous'],
    [501, 'permanent', 'permanent'],
    [502, 'transient', 'ambiguous'],
    [503, 'transient', 'transient'],
    [504, 'transient', 'ambiguous'],
    [301, 'permanent', 'permanent'],
  ])('takes %d as %s, or %s where repeating would do it twice', async (status, safe, unsafe) => {
    partner.answerWith(says(status));
    expect((await deliver(bundle(put('1')))).kind).toBe(safe);
    expect((await deliver(bundle(put('1'), post))).kind).toBe(unsafe);
  });

  it.each<[string, readonly string[], string, string]>([
    ['one failed for good', ['200', '422 Unprocessable Entity'], 'permanent', 'permanent'],
    ['one may succeed later', ['200', '503'], 'transient', 'ambiguous'],
    ['one for good and one for now', ['422', '409'], 'transient', 'transient'],
    ['one is not answered', ['200'], 'transient', 'ambiguous'],
    ['a status is missing', ['200', 'fine'], 'transient', 'ambiguous'],
  ])('reads the entries below a 200: %s', async (_name, statuses, safe, unsafe) => {
    partner.answerWith(says(200, answered(...statuses)));
    expect((await deliver(bundle(put('1'), put('2')))).kind).toBe(safe);
    expect((await deliver(bundle(post, put('2')))).kind).toBe(unsafe);
  });

  it('takes silence and a broken connection as transient where repeating changes nothing', async () => {
    partner.answerWith(behaviours['is silent']);
    expect((await deliver(bundle(put('1')))).kind).toBe('transient');
    partner.answerWith(behaviours['breaks off']);
    expect((await deliver({ resourceType: 'Patient', id: 'p1' })).kind).toBe('transient');
  });

  it('gives the findings by code and place, never what they quote', async () => {
    const issue = [
      {
        severity: 'error',
        code: 'invalid',
        diagnostics: 'Nobody is called Quillfeather',
        details: { text: 'Quillfeather' },
        expression: ["Patient.name.where(family='Quillfeather')", 'Patient.name[0].family'],
      },
      { severity: 'strange', code: 'Quillfeather!' },
    ];
    const outcome = { resourceType: 'OperationOutcome', issue };
    partner.answerWith(
      says(200, {
        ...answered(),
        entry: [{ response: { status: '422', outcome } }],
      }),
    );
    const found = await deliver(bundle(put('Quillfeather')));
    expect(found).toMatchObject({
      issues: [
        { code: 'http-422', location: 'Bundle.entry[0]' },
        { code: 'invalid', severity: 'error', location: 'Patient.name[0].family' },
        { code: 'unknown', severity: 'error' },
      ],
    });
    expect(JSON.stringify({ ...found, answer: undefined })).not.toContain('Quillfeather');
  });

  it('delivers to the demo EHR, and twice is as once', async () => {
    const ehr = await startDemoEhr({ host: '127.0.0.1', port: 0, logger });
    const content = bundle(put('1'), put('2'));
    expect(await deliver(content, ehr.url)).toMatchObject({
      summary: '200 OK, 2 entries (2 created)',
    });
    expect(await deliver(content, `${ehr.url}/`)).toMatchObject({
      summary: '200 OK, 2 entries (2 updated)',
    });
    await ehr.close();
  });
});
