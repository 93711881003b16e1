import { eventKinds, finalityOf, messageStates } from '../../core/ledger/codes.ts';

/** As tables number them. */
export const kindNumber = (kind: (typeof eventKinds)[number]): number => eventKinds.indexOf(kind);
export const stateNumber = (state: (typeof messageStates)[number]): number =>
  messageStates.indexOf(state);

/** Whether something has ended a message in the state of this number. */
export const isEnded = (state: number): boolean =>
  finalityOf(messageStates[state] ?? 'received') > 0;
