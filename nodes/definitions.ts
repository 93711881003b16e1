import { contribute as fhirOut } from './fhir-out/definition.ts';
import { contribute as hl7Route } from './hl7-route/definition.ts';
import { contribute as mllpIn } from './mllp-in/definition.ts';
import { contribute as mllpOut } from './mllp-out/definition.ts';
import { contribute as queueIn } from './queue-in/definition.ts';
import { contribute as queueOut } from './queue-out/definition.ts';
import type { Contribute } from './shared/contribution.ts';

export type { Contribute, ContributionContext } from './shared/contribution.ts';
export { findPlaceholders, resolveEnv, type Environment } from './shared/environment.ts';

/**
 * Of every node type that makes listeners, senders or queues, or that can be configured wrongly: what it
 * makes, and what is wrong. The deploy compiler calls it for each enabled node of that type; types that
 * are not here make nothing.
 */
export const contributors: Readonly<Record<string, Contribute>> = {
  'hl7 route': hl7Route,
  'mllp in': mllpIn,
  'mllp out': mllpOut,
  'fhir out': fhirOut,
  'queue in': queueIn,
  'queue out': queueOut,
};
