import type { ErrorView } from '../api/views.ts';

/** What the API refused, with its reason for people; `status` 0 where it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

/** Reads JSON from the API; rejects with {@link ApiError}. The caller names the type: api/views.ts has them. */
export function get(path: string): Promise<unknown> {
  return call(path, { method: 'GET' });
}

/** Sends JSON to the API; resolves with its answer, undefined where that is empty. */
export function post(path: string, body: object = {}): Promise<unknown> {
  return call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function call(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0, 'unreachable', 'Hilum does not answer. Is it running?');
  }
  if (response.status === 204) return undefined;
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const error = (answer as Partial<ErrorView> | undefined)?.error;
  throw new ApiError(
    response.status,
    error?.code ?? 'unknown',
    error?.message ?? `Hilum answered ${response.status}.`,
  );
}

/** Goes to the login and comes back to the page one is on. */
export function goToLogin(): void {
  const { pathname, search } = window.location;
  window.location.assign(`/login?next=${encodeURIComponent(pathname + search)}`);
}
