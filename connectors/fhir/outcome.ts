import { STATUS_CODES } from 'node:http';
import type { ErrorClass } from '../../core/errors.ts';
import type { Issue, Severity } from '../../core/issue.ts';
import type { Answer, Outcome } from '../../core/outcome.ts';
import { isRecord } from './request.ts';
import type { EntryRequest, FhirRequest } from './request.ts';

/** An HTTP answer to a FHIR request. */
export interface FhirAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number;
}

/** So many findings are enough for people. */
const maxIssues = 20;

/**
 * What an answer means. A Bundle's entries are read one by one: some servers answer 200 and hide a failed
 * entry below.
 *
 * - all 2xx or 304: `delivered`.
 * - 429, 503 and others by which the server says that it did nothing: `transient`. 409 too: another
 *   request was faster, and the next attempt finds what that one wrote. 401 as well: the credentials are
 *   at fault, not the message.
 * - 500, 502, 504: it may have been done. `transient` where repeating changes nothing, else `ambiguous`.
 * - everything else, 412 (the condition finds several: somebody must merge them) and 501 included:
 *   `permanent`.
 *
 * 401, 407, 429, 502, 503 and 504 are outages: any message would have met them. What 429 and 503 say of when to come
 * again goes with them.
 *
 * Where entries differ, one that may succeed later makes the whole worth repeating, if that is harmless.
 */
export function toOutcome(
  request: FhirRequest,
  { status, contentType, body, retryAfterMs }: FhirAnswer,
): Outcome {
  const answer: Answer = { contentType, body };
  const content = parse(body);
  if (!isSuccess(status)) {
    const issues = [toRefusal(request, status), ...readOperationOutcome(content)];
    return {
      kind: settle(classify(status), request),
      issues: issues.slice(0, maxIssues),
      answer,
      ...(outages.has(status) ? { isOutage: true } : {}),
      ...(retryAfterMs !== undefined && saysWhen.has(status) ? { retryAfterMs } : {}),
    };
  }
  if (request.entries === undefined) {
    return { kind: 'delivered', summary: `${toPhrase(status)}, ${request.resourceType}`, answer };
  }
  const responses = readResponses(content, request.entries);
  if (responses === undefined) return { ...toUnreadable(request, status), answer };
  const failed = responses.filter((response) => !isSuccess(response.status));
  if (failed.length === 0) {
    return { kind: 'delivered', summary: summarize(status, responses), answer };
  }
  const issues = failed.flatMap(toEntryIssues).slice(0, maxIssues);
  return { kind: settleEntries(failed, responses, request), issues, answer };
}

/** What a failure without an answer means. */
export function toFailure(
  request: FhirRequest,
  failure: { readonly sent: boolean; readonly found: string; readonly where: string },
): Outcome {
  const { sent, found, where } = failure;
  const advice = sent
    ? 'The server may have it.'
    : 'Nothing was sent. Check that the server runs and that the base URL is right.';
  const message = `Expected an answer from the FHIR server at ${where}, but ${found}. ${advice}`;
  return {
    kind: sent ? settle('unknown', request) : 'transient',
    issues: [{ code: sent ? 'answer-missing' : 'connection-failed', severity: 'error', message }],
    isOutage: true,
  };
}

interface EntryResponse {
  readonly index: number;
  readonly request: EntryRequest;
  readonly status: number;
  readonly outcome: unknown;
}

/** `unknown`: whether the server did it. */
type StatusClass = 'transient' | 'unknown' | 'permanent';

const didNothing = new Set([401, 407, 408, 409, 423, 425, 429, 503]);
const neverWill = new Set([501, 505]);
const outages = new Set([401, 407, 429, 502, 503, 504]);
const saysWhen = new Set([429, 503]);

function classify(status: number): StatusClass {
  if (didNothing.has(status)) return 'transient';
  return status >= 500 && !neverWill.has(status) ? 'unknown' : 'permanent';
}

function settle(statusClass: StatusClass, request: FhirRequest): ErrorClass {
  if (statusClass !== 'unknown') return statusClass;
  return request.isIdempotent ? 'transient' : 'ambiguous';
}

function settleEntries(
  failed: readonly EntryResponse[],
  all: readonly EntryResponse[],
  request: FhirRequest,
): ErrorClass {
  const classes = failed.map(({ status }) => classify(status));
  if (classes.every((each) => each === 'permanent')) return 'permanent';
  if (request.isIdempotent) return 'transient';
  const nothingWasDone = failed.length === all.length && !classes.includes('unknown');
  return nothingWasDone ? 'transient' : 'ambiguous';
}

function readResponses(
  content: unknown,
  requests: readonly EntryRequest[],
): readonly EntryResponse[] | undefined {
  if (!isRecord(content) || content['resourceType'] !== 'Bundle') return undefined;
  const entries = Array.isArray(content['entry']) ? (content['entry'] as unknown[]) : [];
  if (entries.length !== requests.length) return undefined;
  const responses: EntryResponse[] = [];
  for (const [index, request] of requests.entries()) {
    const entry = entries[index];
    const response = isRecord(entry) ? entry['response'] : undefined;
    const status = isRecord(response) ? /^\d{3}/.exec(String(response['status']))?.[0] : undefined;
    if (status === undefined || !isRecord(response)) return undefined;
    responses.push({ index, request, status: Number(status), outcome: response['outcome'] });
  }
  return responses;
}

function toUnreadable(request: FhirRequest, status: number) {
  const count = request.entries?.length ?? 0;
  const message = `Expected a Bundle with the status of each of ${count} entries, found ${toPhrase(status)} without it. The server may have done it.`;
  const issue: Issue = { code: 'answer-unreadable', severity: 'error', message };
  return { kind: settle('unknown', request), issues: [issue] };
}

/** `200 OK, 7 entries (2 created, 5 updated)`. */
function summarize(status: number, responses: readonly EntryResponse[]): string {
  const counts = new Map<string, number>();
  for (const response of responses) {
    const verb = toVerb(response);
    counts.set(verb, (counts.get(verb) ?? 0) + 1);
  }
  const parts = ['created', 'updated', 'unchanged', 'found', 'deleted', 'read']
    .filter((verb) => counts.has(verb))
    .map((verb) => `${counts.get(verb) ?? 0} ${verb}`);
  const entries = responses.length === 1 ? '1 entry' : `${responses.length} entries`;
  return `${toPhrase(status)}, ${entries}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}

function toVerb({ request, status }: EntryResponse): string {
  if (status === 201) return 'created';
  if (status === 304) return 'unchanged';
  if (request.method === 'GET' || request.method === 'HEAD') return 'read';
  if (request.method === 'DELETE') return 'deleted';
  // A conditional create that did not create has found what is there already.
  return request.method === 'POST' ? 'found' : 'updated';
}

function toRefusal(request: FhirRequest, status: number): Issue {
  const advice =
    status >= 300 && status < 400 ? ' Redirects are not followed: correct the base URL.' : '';
  const message = `Expected 2xx for ${request.method} ${request.resourceType}, found ${toPhrase(status)}.${advice}`;
  return { code: `http-${status}`, severity: 'error', message };
}

function toEntryIssues({ index, request, status, outcome }: EntryResponse): readonly Issue[] {
  const location = `Bundle.entry[${index}]`;
  const message = `Expected 2xx for ${request.method} ${request.resourceType}, found ${toPhrase(status)}.`;
  return [
    { code: `http-${status}`, severity: 'error', location, message },
    ...readOperationOutcome(outcome),
  ];
}

/**
 * The findings of an OperationOutcome: code, severity and a plain element path. Its texts (diagnostics,
 * details) are left out, for servers quote values in them; so is an expression with a filter. The
 * whole is in the answer.
 */
function readOperationOutcome(content: unknown): readonly Issue[] {
  if (!isRecord(content) || content['resourceType'] !== 'OperationOutcome') return [];
  const items = Array.isArray(content['issue']) ? (content['issue'] as unknown[]) : [];
  return items.filter(isRecord).map(toIssue);
}

function toIssue(item: Readonly<Record<string, unknown>>): Issue {
  const { code, severity, expression } = item;
  const type = typeof code === 'string' && /^[a-z-]{1,40}$/.test(code) ? code : 'unknown';
  const paths: readonly unknown[] = Array.isArray(expression) ? expression : [];
  const path = paths.find(isPlainPath);
  return {
    code: type,
    severity: severities.find((each) => each === severity) ?? 'error',
    message: `The FHIR server reports an issue of type ${type}.`,
    ...(path === undefined ? {} : { location: path }),
  };
}

const severities: readonly Severity[] = ['fatal', 'error', 'warning', 'information'];

function isPlainPath(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^[A-Za-z]+(\.[A-Za-z]+|\[\d+\])*$/.test(value) &&
    value.length < 200
  );
}

/** 304 too: some servers answer it to an update that changes nothing. */
function isSuccess(status: number): boolean {
  return (status >= 200 && status < 300) || status === 304;
}

function toPhrase(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
