import type { NodeAPI } from 'node-red';
import { HilumError } from '../../core/errors.ts';
import { type HeldCode, toField } from '../../core/held-code.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Issue } from '../../core/issue.ts';
import type { UnmappedPolicy } from '../../core/mapping/document.ts';
import type { Table, UnmappedCode } from '../../core/mapping/tables.ts';
import {
  findCodedElements,
  translateCode,
  translateCoded,
  type TranslatedCode,
} from '../../core/mapping/translate.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { requireResource } from '../shared/fhir.ts';
import { rewritePayload } from '../shared/hl7.ts';
import { findProperty } from '../shared/node.ts';
import type { Source } from './definition.ts';

/** A node's work, its fields read. */
export interface Translation {
  readonly node: string;
  readonly table: Table;
  readonly layers: readonly string[];
  readonly source: Source;
  readonly from: string;
  readonly to: string | undefined;
  readonly policy: UnmappedPolicy | undefined;
}

/** What was done with a message. */
export interface Translated {
  /** How many codes were translated. */
  readonly count: number;
  readonly issues: readonly Issue[];
}

/**
 * Translates the codes of a message in place. Throws a permanent HilumError with every code that the message may not go on
 * with, and leaves it as it was then.
 */
export function translateMessage(
  RED: NodeAPI,
  message: FlowMessage,
  translation: Translation,
): Translated {
  const notes = new Notes();
  const apply = { v2: inMessage, fhir: inResource, msg: inProperty }[translation.source];
  const write = apply(RED, message, { ...translation, notes });
  if (notes.refused.length > 0) {
    const { node, table, layers } = translation;
    const by = { node, table: table.id, layers: layers.join(',') };
    const held = notes.held.map((each): HeldCode => ({ ...each, ...by }));
    throw new HilumError('permanent', notes.refused, { held });
  }
  // What nothing has changed stays as it was written, to the last zero of a number.
  if (notes.count > 0 || notes.issues.length > 0) write();
  return notes;
}

class Notes implements Translated {
  readonly issues: Issue[] = [];
  readonly refused: Issue[] = [];
  readonly held: Pick<HeldCode, 'code' | 'system' | 'display' | 'source'>[] = [];
  count = 0;

  /** The code to write; undefined leaves it out, and `before` stays where it is kept. */
  take(became: TranslatedCode, before: string): string | undefined {
    this.note(became);
    if (became.kind === 'translated') return became.to.code;
    return became.kind === 'omitted' ? undefined : before;
  }

  note(became: {
    readonly kind: TranslatedCode['kind'];
    readonly issue?: Issue;
    readonly held?: UnmappedCode;
  }): void {
    if (became.kind === 'translated') this.count += 1;
    if (became.kind === 'omitted' && became.issue !== undefined) this.issues.push(became.issue);
    if (became.kind === 'refused' && became.issue !== undefined) this.refused.push(became.issue);
    if (became.held !== undefined) {
      this.held.push({ ...became.held, source: toField(became.issue?.location ?? '') });
    }
  }
}

type Work = Translation & { readonly notes: Notes };
type Apply = (RED: NodeAPI, message: FlowMessage, work: Work) => () => void;

const inMessage: Apply = (_RED, message, work) => {
  const payload = rewritePayload(message.payload, (hl7) => translateFields(hl7, work));
  return () => {
    message.payload = payload;
  };
};

function translateFields(hl7: Hl7Message, { from, to, table, policy, notes }: Work): Hl7Message {
  let edited = hl7;
  // From the end, so that what is taken away moves none that is still to come.
  for (const { location, value } of [...hl7.places(from)].reverse()) {
    if (value === '' || value === '""') continue;
    const next = notes.take(translateCode(value, table, { policy, location }), value);
    const target = to === undefined ? location : besidePlace(location, to);
    // The place of its own keeps what was there; there is nothing to take away from it.
    if (next !== undefined) edited = edited.set(target, next);
    else if (to === undefined) edited = edited.set(location, '');
  }
  notes.issues.reverse();
  notes.refused.reverse();
  return edited;
}

const position = /^([A-Z][A-Z0-9]{2})(\[\d+\])?-(\d+)(\[\d+\])?(\..*)?$/;

/** `to` in the same segment as the place, and in the same repetition where it is in the same field, unless it says which. */
function besidePlace(location: string, to: string): string {
  const [, segment, occurrence = '', field, repetition = ''] = position.exec(location) ?? [];
  const target = position.exec(to);
  if (target === null || target[1] !== segment) return to;
  const [, , ownOccurrence = occurrence, ownField = '', ownRepetition, rest = ''] = target;
  const same = ownField === field ? repetition : '';
  return `${segment ?? ''}${ownOccurrence}-${ownField}${ownRepetition ?? same}${rest}`;
}

const inResource: Apply = (_RED, message, { from, table, policy, notes }) => {
  const resource = requireResource(message.payload);
  for (const { location, value, replace } of findCodedElements(resource, from)) {
    if (typeof value === 'string') {
      replace(notes.take(translateCode(value, table, { policy, location }), value));
      continue;
    }
    const became = translateCoded(value, table, { policy, location });
    notes.note(became);
    if (became.kind === 'omitted') replace(undefined);
  }
  return () => {
    message.payload = JSON.stringify(resource);
  };
};

const inProperty: Apply = (RED, message, { from, to = from, table, policy, notes }) => {
  const found = findProperty(RED, message, from);
  const translateOne = (value: unknown, location: string): unknown => {
    if (typeof value !== 'string' && typeof value !== 'number') return value;
    return notes.take(translateCode(String(value), table, { policy, location }), String(value));
  };
  const next = Array.isArray(found)
    ? found.map((value, index) => translateOne(value, `msg.${from}[${index}]`))
    : translateOne(found, `msg.${from}`);
  return () => {
    if (found !== undefined) RED.util.setMessageProperty(message, to, next, true);
  };
};
