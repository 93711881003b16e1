import { HilumError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';

/** A FHIR resource that was read from a payload, or why it is none. */
export type ResourceResult =
  | { readonly ok: true; readonly resource: FhirResource }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Anything that says which resource it is. */
export interface FhirResource {
  readonly resourceType: string;
  readonly [element: string]: unknown;
}

/** The FHIR resource in a payload: JSON as text or UTF-8 bytes, or an object that a node has parsed. */
export function parseResource(payload: unknown): ResourceResult {
  let content = payload;
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    try {
      content = JSON.parse(
        typeof payload === 'string' ? payload : Buffer.from(payload).toString('utf8'),
      );
    } catch {
      return refuse('Expected a FHIR resource as JSON in msg.payload, found text that is no JSON.');
    }
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    const found = Array.isArray(content) ? 'a list' : content === null ? 'null' : typeof content;
    return refuse(`Expected a FHIR resource as JSON in msg.payload, found ${found}.`);
  }
  const { resourceType } = content as { readonly resourceType?: unknown };
  return typeof resourceType === 'string'
    ? { ok: true, resource: content as FhirResource }
    : refuse('Expected a FHIR resource in msg.payload, found JSON without a resourceType.');
}

/** The resource, or a permanent HilumError with the reasons why there is none. */
export function requireResource(payload: unknown): FhirResource {
  const result = parseResource(payload);
  if (!result.ok) throw new HilumError('permanent', result.issues);
  return result.resource;
}

const refuse = (message: string): ResourceResult => ({
  ok: false,
  issues: [{ code: 'payload-not-fhir', severity: 'fatal', message }],
});
