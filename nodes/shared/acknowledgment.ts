import type {
  AcceptanceRules,
  AcknowledgmentMode,
  AnswerPolicy,
  ApplicationAcknowledgment,
  RefusalPolicy,
} from '../../core/hl7v2/acknowledgment-settings.ts';
import type { ListenerAcknowledgment } from '../../core/interface.ts';
import { textList } from './connection-fields.ts';
import type { FieldValues } from './contribution.ts';
import { choice, optional, refused, type FieldParser } from './fields.ts';

/** How a listener answers and what it takes; every list is text with commas, and empty for everything. */
export interface ListenerAcknowledgmentConfig {
  readonly acknowledgmentMode: AcknowledgmentMode;
  readonly applicationAcknowledgment: ApplicationAcknowledgment;
  readonly sequenceNumbers: ListenerAcknowledgment['sequenceNumbers'];
  readonly sendingApplications: string;
  readonly sendingFacilities: string;
  readonly receivingApplications: string;
  readonly receivingFacilities: string;
  readonly messageTypes: string;
  readonly processingIds: string;
  readonly versions: string;
}

export const listenerAcknowledgmentDefaults: ListenerAcknowledgmentConfig = {
  acknowledgmentMode: 'by-message',
  applicationAcknowledgment: 'receiver',
  sequenceNumbers: 'ignored',
  sendingApplications: '',
  sendingFacilities: '',
  receivingApplications: '',
  receivingFacilities: '',
  messageTypes: '',
  processingIds: '',
  versions: '',
};

/** Entries of a list that all look like this. */
function listOf(shape: RegExp): FieldParser<readonly string[] | undefined> {
  return optional((text) => {
    const entries = textList(text);
    if (!entries.ok) return entries;
    return entries.value.every((entry) => shape.test(entry)) ? entries : refused('entries-invalid');
  }, undefined);
}

const parties = listOf(/^[^|~\p{Cc}]{1,250}$/u);

export const listenerAcknowledgmentFields = {
  acknowledgmentMode: optional(
    choice('by-message', 'original', 'enhanced', 'never'),
    listenerAcknowledgmentDefaults.acknowledgmentMode,
  ),
  applicationAcknowledgment: optional(
    choice('receiver', 'flow'),
    listenerAcknowledgmentDefaults.applicationAcknowledgment,
  ),
  sequenceNumbers: optional(
    choice('ignored', 'checked'),
    listenerAcknowledgmentDefaults.sequenceNumbers,
  ),
  sendingApplications: parties,
  sendingFacilities: parties,
  receivingApplications: parties,
  receivingFacilities: parties,
  messageTypes: listOf(/^[A-Z0-9*]{1,4}(\^[A-Z0-9*]{1,4}(\^[A-Z0-9_*]{1,8})?)?$/),
  processingIds: listOf(/^[A-Z0-9*](\^[A-Z0-9*]?)?$/),
  versions: listOf(/^[0-9*][0-9.*]{0,9}$/),
};

/** Nothing where all is as it is without being said. */
export function buildListenerAcknowledgment(
  values: FieldValues<typeof listenerAcknowledgmentFields>,
): { readonly acknowledgment?: ListenerAcknowledgment } {
  const { acknowledgmentMode, applicationAcknowledgment, sequenceNumbers } = values;
  const { sendingApplications, sendingFacilities, messageTypes } = values;
  const { receivingApplications, receivingFacilities, processingIds, versions } = values;
  const accepts: AcceptanceRules = {
    ...(sendingApplications && { sendingApplications }),
    ...(sendingFacilities && { sendingFacilities }),
    ...(receivingApplications && { receivingApplications }),
    ...(receivingFacilities && { receivingFacilities }),
    ...(messageTypes && { messageTypes }),
    ...(processingIds && { processingIds }),
    ...(versions && { versions }),
  };
  const isUsual =
    acknowledgmentMode === listenerAcknowledgmentDefaults.acknowledgmentMode &&
    applicationAcknowledgment === listenerAcknowledgmentDefaults.applicationAcknowledgment &&
    sequenceNumbers === listenerAcknowledgmentDefaults.sequenceNumbers &&
    Object.keys(accepts).length === 0;
  if (isUsual) return {};
  const mode = acknowledgmentMode;
  const application = applicationAcknowledgment;
  return { acknowledgment: { mode, application, accepts, sequenceNumbers } };
}

/** How a sender takes what its partner answers. */
export interface AnswerPolicyConfig {
  readonly onError: RefusalPolicy;
  readonly onReject: RefusalPolicy;
  readonly awaits: AnswerPolicy['awaits'];
}

/** As the standard has it; said again because the editor loads this file, and must not load the parser. */
export const answerPolicyDefaults: AnswerPolicyConfig = {
  onError: 'dead-letter',
  onReject: 'retry',
  awaits: 'accept',
};

export const answerPolicyFields = {
  onError: optional(choice('dead-letter', 'retry'), answerPolicyDefaults.onError),
  onReject: optional(choice('dead-letter', 'retry'), answerPolicyDefaults.onReject),
  awaits: optional(choice('accept', 'application'), answerPolicyDefaults.awaits),
};

/** Nothing where all is as it is without being said. */
export function buildAnswerPolicy({
  onError,
  onReject,
  awaits,
}: FieldValues<typeof answerPolicyFields>): { readonly acknowledgment?: AnswerPolicy } {
  const isUsual =
    onError === answerPolicyDefaults.onError &&
    onReject === answerPolicyDefaults.onReject &&
    awaits === answerPolicyDefaults.awaits;
  return isUsual ? {} : { acknowledgment: { onError, onReject, awaits } };
}
