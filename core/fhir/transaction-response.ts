import type { Bundle } from '@medplum/fhirtypes';

/** What a server says of one entry of a transaction or batch. */
export interface EntryOutcome {
  /**
   * `created` and `updated`: done. `unchanged`: it was there already. `refused`: a 4xx that will not change.
   * `unavailable`: 408, 409, 412, 423, 429 or 5xx, which may change. `unreadable`: the server does not say.
   */
  readonly kind: 'created' | 'updated' | 'unchanged' | 'refused' | 'unavailable' | 'unreadable';
  /** 201; undefined where it is unreadable. */
  readonly status?: number;
  /** Where the resource now is, without its version: `Patient/17`. */
  readonly location?: string;
}

/**
 * Reads the status of every entry of a transaction's answer. A server may answer 200 to the whole and hide a
 * failed entry in it: only this says whether all is done. FHIR R4, transaction response.
 */
export function readTransactionResponse(bundle: Bundle): readonly EntryOutcome[] {
  return (bundle.entry ?? []).map(({ response }) => {
    const status = Number(/^\s*(\d{3})\b/.exec(response?.status ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) return { kind: 'unreadable' };
    const location = response?.location?.replace(/\/_history\/.*$/, '');
    return { kind: toKind(status), status, ...(location === undefined ? {} : { location }) };
  });
}

const retryable = new Set([408, 409, 412, 423, 425, 429]);

function toKind(status: number): EntryOutcome['kind'] {
  if (status === 201) return 'created';
  if (status === 304) return 'unchanged';
  if (status >= 200 && status < 300) return 'updated';
  if (status >= 500 || retryable.has(status)) return 'unavailable';
  return status >= 400 ? 'refused' : 'unreadable';
}
