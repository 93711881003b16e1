import { contribute as codeTranslate } from './code-translate/definition.ts';
import { contribute as fhirMap } from './fhir-map/definition.ts';
import { contribute as fhirOut } from './fhir-out/definition.ts';
import { contribute as fhirValidate } from './fhir-validate/definition.ts';
import { contribute as hl7Batch } from './hl7-batch/definition.ts';
import { contribute as hl7Edit } from './hl7-edit/definition.ts';
import { contribute as hl7Map } from './hl7-map/definition.ts';
import { contribute as hl7Reply } from './hl7-reply/definition.ts';
import { contribute as hl7Route } from './hl7-route/definition.ts';
import { contribute as hl7Validate } from './hl7-validate/definition.ts';
import { contribute as mllpIn } from './mllp-in/definition.ts';
import { contribute as mllpOut } from './mllp-out/definition.ts';
import { contribute as queueIn } from './queue-in/definition.ts';
import { contribute as queueOut } from './queue-out/definition.ts';
import type { Contribute } from './shared/contribution.ts';
import { withCharset, withMappings, withProfile } from './shared/deploy-checks.ts';

export { findProfileName } from './shared/deploy-checks.ts';
export { findPlaceholders, resolveEnv } from './shared/environment.ts';
export { readHoldingNode, type HoldingNode } from './shared/holding-node.ts';

/**
 * Of every node type that makes listeners, senders or queues, or that a deploy checks: what it makes, and
 * what is wrong with it. The deploy compiler calls it for each enabled node of that type.
 */
export const contributors: Readonly<Record<string, Contribute>> = {
  'code translate': withMappings(codeTranslate),
  'mllp in': withCharset(withProfile(mllpIn)),
  'mllp out': mllpOut,
  'fhir map': withMappings(fhirMap, { isFromFhir: true }),
  'fhir out': fhirOut,
  'fhir validate': fhirValidate,
  'queue in': queueIn,
  'queue out': queueOut,
  'hl7 batch': hl7Batch,
  'hl7 edit': hl7Edit,
  'hl7 map': withMappings(hl7Map),
  'hl7 reply': hl7Reply,
  'hl7 route': hl7Route,
  'hl7 validate': withProfile(hl7Validate),
};
