import type { Issue } from '../../core/issue.ts';

/** How a body goes to a FHIR server. FHIR R4, 3.1.0 RESTful API. */
export interface FhirRequest {
  readonly method: 'POST' | 'PUT';
  /** Behind the base URL: `''` for a Bundle to be processed, `/Patient`, `/Patient/1`. */
  readonly path: string;
  readonly resourceType: string;
  /** The requests of the Bundle's entries; undefined where it is a single resource. */
  readonly entries: readonly EntryRequest[] | undefined;
  /** Sending it twice leaves the server as sending it once: every entry finds what it wrote before. */
  readonly isIdempotent: boolean;
}

/** What an entry asks for, without its condition: that may hold a patient's identifier. */
export interface EntryRequest {
  readonly method: string;
  readonly resourceType: string;
}

export type FhirRequestResult =
  | { readonly ok: true; readonly request: FhirRequest }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * A transaction or batch Bundle is posted to the base; any other resource is put to its id, or posted to
 * its type where it has none.
 */
export function readRequest(body: Uint8Array): FhirRequestResult {
  const resource = parse(body);
  const resourceType = isRecord(resource) ? resource['resourceType'] : undefined;
  if (
    !isRecord(resource) ||
    typeof resourceType !== 'string' ||
    !/^[A-Za-z]+$/.test(resourceType)
  ) {
    return refuse(
      'Expected a FHIR resource as JSON with a resourceType. Map the message before fhir out.',
    );
  }
  const { type, id } = resource;
  if (resourceType === 'Bundle' && (type === 'transaction' || type === 'batch')) {
    return readBundle(resource);
  }
  const hasId = typeof id === 'string' && /^[A-Za-z0-9\-.]{1,64}$/.test(id);
  const request: FhirRequest = {
    method: hasId ? 'PUT' : 'POST',
    path: hasId ? `/${resourceType}/${id}` : `/${resourceType}`,
    resourceType,
    entries: undefined,
    isIdempotent: hasId,
  };
  return { ok: true, request };
}

function readBundle(bundle: Readonly<Record<string, unknown>>): FhirRequestResult {
  const items = Array.isArray(bundle['entry']) ? (bundle['entry'] as unknown[]) : [];
  const requests = items.map((item) => (isRecord(item) ? item['request'] : undefined));
  const missing = requests.findIndex((request) => !isRecord(request));
  if (missing !== -1) {
    return refuse('Expected a request in every entry.', `Bundle.entry[${missing}].request`);
  }
  const request: FhirRequest = {
    method: 'POST',
    path: '',
    resourceType: 'Bundle',
    entries: requests.map(toEntryRequest),
    isIdempotent: requests.every(isIdempotent),
  };
  return { ok: true, request };
}

function isIdempotent(request: unknown): boolean {
  if (!isRecord(request)) return false;
  const { method, ifNoneExist, ifMatch } = request;
  // What was applied has moved the version on: the second time, If-Match fails.
  if (ifMatch !== undefined) return method === 'GET';
  if (method === 'POST') return typeof ifNoneExist === 'string' && ifNoneExist !== '';
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE';
}

function toEntryRequest(request: unknown): EntryRequest {
  const { method, url } = isRecord(request) ? request : {};
  const resourceType = typeof url === 'string' ? (/^[A-Za-z]+/.exec(url)?.[0] ?? '') : '';
  return { method: typeof method === 'string' ? method : '', resourceType };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function refuse(message: string, location?: string): FhirRequestResult {
  const where = location === undefined ? {} : { location };
  const issue: Issue = { code: 'fhir-body-unusable', severity: 'error', message, ...where };
  return { ok: false, issues: [issue] };
}

/** A JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
