import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { buildCapabilityStatement } from './capability-statement.ts';
import { buildOperationOutcome, FhirError, toFhirError } from './fhir-error.ts';
import { interact } from './interactions.ts';
import type { Interaction, InteractionResult } from './interactions.ts';
import { renderIndexPage } from './index-page.ts';
import { createStore } from './store.ts';
import type { Resource, ResourceStore } from './store.ts';
import { processBundle } from './transaction.ts';
import { isRecord } from './values.ts';

/** A running demo EHR. */
export interface DemoEhr {
  /** Its FHIR base: `http://127.0.0.1:8103/fhir/R4`. */
  readonly url: string;
  /** Ends it; what it held is gone. Idempotent. */
  close(): Promise<void>;
}

const basePath = '/fhir/R4';
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * Starts the demo EHR: a FHIR R4 server in memory, for trying Hilum out and for tests. Not for patient
 * data: no login, nothing is kept. Rejects with HilumError `listen-failed` when the port cannot be had.
 * @param options.port 0: the system chooses one
 */
export async function startDemoEhr(options: {
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
}): Promise<DemoEhr> {
  const { host, port, logger } = options;
  const store = createStore();
  let url = '';
  const server = createServer((request, response) => {
    void serve(request, response, { store, baseUrl: url, logger });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const found =
        error.code === 'EADDRINUSE' ? 'the port is taken by another program' : error.message;
      const message = `The demo EHR cannot listen on ${host}:${port}: ${found}. Choose another port (HILUM_EHR_PORT) or switch the demo off (HILUM_DEMO=off).`;
      reject(buildError('transient', 'listen-failed', message, error));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  url = `http://${name}:${address.port}${basePath}`;
  let closing: Promise<void> | undefined;
  return {
    url,
    close() {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}

interface Context {
  readonly store: ResourceStore;
  readonly baseUrl: string;
  readonly logger: Logger;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  context: Context,
): Promise<void> {
  const startedAt = performance.now();
  try {
    await answer(request, response, context);
  } catch (error) {
    const refusal = toFhirError(error);
    if (refusal !== error) {
      const name = error instanceof Error ? error.message : 'unknown';
      context.logger.error({ error: name }, 'The demo EHR failed on a request');
    }
    send(response, { status: refusal.status, resource: buildOperationOutcome(refusal) });
  }
  const ms = Math.round(performance.now() - startedAt);
  const { method } = request;
  context.logger.debug({ method, status: response.statusCode, ms }, 'The demo EHR answered');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { store, baseUrl }: Context,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/' && method === 'GET') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    response.end(renderIndexPage(baseUrl, store.counts()));
    return;
  }
  if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) {
    throw new FhirError(404, 'not-found', `Nothing is here; the FHIR base is ${baseUrl}.`);
  }
  const steps = pathname
    .slice(basePath.length + 1)
    .split('/')
    .filter((step) => step !== '');
  const [type, id, rest] = steps.map(decodeStep);
  const body = method === 'GET' || method === 'DELETE' ? '' : await readBody(request);
  if (type === undefined && method === 'POST') {
    const withResources = headers['prefer']?.includes('return=representation') === true;
    const bundle = parseResource(body, headers['content-type']);
    if (bundle.resourceType !== 'Bundle') {
      throw new FhirError(400, 'invalid', 'Expected a Bundle at the base address.', 'resourceType');
    }
    send(response, {
      status: 200,
      resource: processBundle(store, bundle, { baseUrl, withResources }),
    });
    return;
  }
  if (type === 'metadata' && method === 'GET') {
    send(response, { status: 200, resource: buildCapabilityStatement(baseUrl) });
    return;
  }
  if (type === undefined || rest !== undefined || id?.startsWith('$') === true) {
    throw new FhirError(
      404,
      'not-supported',
      'The demo EHR has no such interaction; see /metadata.',
    );
  }
  const isSearch = method === 'POST' && id === '_search';
  const interaction = isSearch
    ? {
        method: 'GET',
        type,
        query: [search.slice(1), body].filter((each) => each !== '').join('&'),
      }
    : toInteraction(request, { type, id, query: search.slice(1), body });
  const result = store.atomically(() => interact(store, interaction, baseUrl));
  if (method === 'POST' || method === 'PUT') locate(response, result, baseUrl);
  send(response, result);
}

function toInteraction(
  { method = 'GET', headers }: IncomingMessage,
  parts: {
    readonly type: string;
    readonly id: string | undefined;
    readonly query: string;
    readonly body: string;
  },
): Interaction {
  const { type, id, query, body } = parts;
  if (method === 'POST' && id !== undefined) {
    throw new FhirError(405, 'not-supported', 'A resource is created at the address of its type.');
  }
  const ifNoneExist = headers['if-none-exist'];
  return {
    method,
    type,
    query,
    ...(id === undefined ? {} : { id }),
    ...(body === '' && method !== 'POST' && method !== 'PUT'
      ? {}
      : { resource: parseResource(body, headers['content-type']) }),
    ...(typeof ifNoneExist === 'string' ? { ifNoneExist } : {}),
    ...(headers['if-match'] === undefined ? {} : { ifMatch: headers['if-match'] }),
  };
}

function locate(response: ServerResponse, { resource }: InteractionResult, baseUrl: string): void {
  if (resource?.id === undefined || resource.meta?.versionId === undefined) return;
  const { resourceType, id, meta } = resource;
  response.setHeader(
    'location',
    `${baseUrl}/${resourceType}/${id}/_history/${meta.versionId ?? ''}`,
  );
}

function send(response: ServerResponse, { status, resource }: InteractionResult): void {
  response.statusCode = status;
  if (resource === undefined) {
    response.end();
    return;
  }
  if (resource.meta?.versionId !== undefined) {
    response.setHeader('etag', `W/"${resource.meta.versionId}"`);
    response.setHeader('last-modified', new Date(resource.meta.lastUpdated ?? 0).toUTCString());
  }
  response.setHeader('content-type', 'application/fhir+json; charset=utf-8');
  response.end(JSON.stringify(resource));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new FhirError(413, 'too-long', 'The body is over 64 MiB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseResource(body: string, contentType = 'application/fhir+json'): Resource {
  if (!contentType.includes('json')) {
    throw new FhirError(415, 'not-supported', 'Expected application/fhir+json.');
  }
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // The parser's own message quotes the text.
    throw new FhirError(400, 'structure', 'The body is not JSON.');
  }
  if (!isRecord(value) || typeof value['resourceType'] !== 'string') {
    throw new FhirError(400, 'structure', 'Expected a resource with a resourceType.');
  }
  return value as unknown as Resource;
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    throw new FhirError(400, 'value', 'The address is not percent-encoded as it should be.');
  }
}
