import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { FhirSenderDefinition } from '../../core/interface.ts';
import type { Destination } from '../../core/ports/destination.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { sendHttp } from './http.ts';
import type { HttpResult } from './http.ts';
import { toFailure, toOutcome } from './outcome.ts';
import type { FhirAnswer } from './outcome.ts';
import { readRequest } from './request.ts';
import { parseRetryAfter } from './retry-after.ts';

const mediaType = 'application/fhir+json';

/**
 * Delivers FHIR JSON: a transaction or batch Bundle to the base URL, any other resource to its own
 * address. Up to `definition.concurrency` requests at a time over kept connections. How an answer becomes
 * an outcome: {@link toOutcome}; the answer's body goes with it. Never logs a URL with a condition.
 */
export function createFhirDestination(
  definition: FhirSenderDefinition,
  { logger }: { readonly logger: Logger },
): Destination {
  const base = new URL(definition.baseUrl);
  const where = `${base.origin}${base.pathname}`.replace(/\/+$/, '');
  const pooling = { keepAlive: true, maxSockets: definition.concurrency };
  const agent = base.protocol === 'https:' ? new SecureAgent(pooling) : new Agent(pooling);
  return {
    async deliver(envelope, signal) {
      const read = readRequest(envelope.body);
      if (!read.ok) return { kind: 'permanent', issues: read.issues };
      const { request } = read;
      const result = await sendHttp({
        url: new URL(`${where}${request.path}`),
        method: request.method,
        headers: {
          'content-type': mediaType,
          accept: mediaType,
          'user-agent': 'Hilum',
          // Lets a line in the partner's log be found again in ours.
          'x-request-id': envelope.id,
          ...(request.entries === undefined ? {} : { prefer: 'return=minimal' }),
        },
        body: envelope.body,
        timeoutMs: definition.timeoutMs,
        signal,
        agent,
      });
      const outcome =
        result.kind === 'answered'
          ? toOutcome(request, withRetryAfter(result))
          : toFailure(request, { ...result, where });
      logger.debug(
        { id: envelope.id, sender: definition.id, outcome: outcome.kind },
        'Sent to FHIR',
      );
      return outcome;
    },
    close() {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

function withRetryAfter(answer: Extract<HttpResult, { readonly kind: 'answered' }>): FhirAnswer {
  const retryAfterMs = parseRetryAfter({ ...answer, nowMs: Date.now() });
  return retryAfterMs === undefined ? answer : { ...answer, retryAfterMs };
}
