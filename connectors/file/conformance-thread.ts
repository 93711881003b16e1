/*
 * The thread that checks FHIR resources by their definitions: conformance.ts starts it. The definitions take half a second
 * and 60 MB, and a large Bundle more than a message may hold up others.
 */
import { parentPort } from 'node:worker_threads';
import { findFailure } from '../../core/errors.ts';
import { buildConformanceCheck, type ConformanceCheck } from '../../core/fhir/conformance.ts';
import type { Issue } from '../../core/issue.ts';
import { readConformance } from './conformance-files.ts';

/** What the thread is asked: a resource as JSON. One at a time. */
export interface ConformanceQuestion {
  readonly resource: string;
  readonly profiles: readonly string[];
}

/** What it says: that it is ready, or cannot be; then an answer to each question. */
export type ConformanceAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly issues: readonly Issue[] }
  | { readonly kind: 'checked'; readonly issues: readonly Issue[] };

const port = parentPort;
if (port !== null) {
  const say = (answer: ConformanceAnswer): void => port.postMessage(answer);
  const check = open(say);
  port.on('message', ({ resource, profiles }: ConformanceQuestion) => {
    if (check === undefined) return;
    say({ kind: 'checked', issues: check(JSON.parse(resource), profiles) });
  });
}

function open(say: (answer: ConformanceAnswer) => void): ConformanceCheck | undefined {
  try {
    const check = buildConformanceCheck(
      readConformance(process.env['HILUM_FHIR_PROFILES'] || undefined),
    );
    say({ kind: 'ready' });
    return check;
  } catch (error) {
    const issues = findFailure(error)?.issues;
    // It ends, and is started again.
    if (issues === undefined) throw error;
    say({ kind: 'failed', issues });
    return undefined;
  }
}
