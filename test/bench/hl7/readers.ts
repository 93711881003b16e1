import { createRequire } from 'node:module';
import { Hl7Message as MedplumMessage } from '@medplum/core';
import { HL7Message } from 'hl7v2';
import type { Hl7Message } from '../../../core/hl7v2/message.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import type { Position } from './messages.ts';

/** A library at work: a message read into whatever it has, a value out of it, and an edit written again. */
export interface Reader {
  readonly name: string;
  /** Reads the values and returns their lengths added up: what is not used might not be done. */
  readonly read: (text: string, positions: readonly Position[]) => number;
  /** Sets the value and returns the length of the message written again. */
  readonly edit: (text: string, position: Position, value: string) => number;
}

const require = createRequire(import.meta.url);

interface SimpleSegment {
  readonly fields: readonly { readonly value: unknown }[];
  setComponent(field: number, component: number, value: string): void;
}
interface SimpleMessage {
  toString(): string;
  readonly header: SimpleSegment;
  getSegments(name: string): readonly SimpleSegment[];
}
interface SimpleHl7 {
  readonly Parser: new (options: { readonly segmentSeperator: string }) => {
    parse(text: string): SimpleMessage;
  };
}
interface ClientNode {
  toString(): string;
  get(path: string | number): ClientNode;
  set(path: string, value: string): void;
}
interface NodeHl7Client {
  readonly Message: new (options: { readonly text: string }) => ClientNode;
}

/** Ours and the peers, loaded when called: two of them take seconds to load. */
export function loadReaders(): readonly Reader[] {
  return [
    { name: 'hilum', read: readOurs, edit: editOurs },
    { name: '@medplum/core', read: readMedplum, edit: editMedplum },
    buildNodeHl7Client(),
    buildSimpleHl7(),
    { name: 'hl7v2', read: readHl7v2, edit: editHl7v2 },
  ];
}

function parse(text: string): Hl7Message {
  const parsed = parseMessage(text);
  if (!parsed.ok) throw new Error('Expected a message.');
  return parsed.message;
}

/** The text as one: what the engine has only noted to be joined is joined now. */
export function touch(text: string): number {
  return text.length + text.charCodeAt(text.length - 1);
}

const paths = new Map<Position, string>();

/** As whoever uses Hilum has it: written once, in a flow or a mapping. */
function toPath(position: Position): string {
  let path = paths.get(position);
  if (path === undefined) {
    const { segment, occurrence, field, component } = position;
    path = `${segment}${occurrence === 1 ? '' : `[${occurrence}]`}-${field}.${component}`;
    paths.set(position, path);
  }
  return path;
}

function readOurs(text: string, positions: readonly Position[]): number {
  const message = parse(text);
  let length = 0;
  for (const position of positions) length += message.get(toPath(position))?.length ?? 0;
  return length;
}

function editOurs(text: string, position: Position, value: string): number {
  return touch(parse(text).set(toPath(position), value).text);
}

function readMedplum(text: string, positions: readonly Position[]): number {
  const message = MedplumMessage.parse(text);
  let length = 0;
  for (const { segment, occurrence, field, component } of positions) {
    // Its own way to a later one reads all segments of that name; the first has a shorter way.
    const found =
      occurrence === 1
        ? message.getSegment(segment)
        : message.getAllSegments(segment)[occurrence - 1];
    length += found?.getComponent(field, component).length ?? 0;
  }
  return length;
}

function editMedplum(text: string, position: Position, value: string): number {
  const message = MedplumMessage.parse(text);
  message.getSegment(position.segment)?.setComponent(position.field, position.component, value);
  return touch(message.toString());
}

function readHl7v2(text: string, positions: readonly Position[]): number {
  const message = HL7Message.parse(text);
  let length = 0;
  for (const { segment, occurrence, field, component } of positions) {
    const found = message.getSegment(segment, occurrence - 1);
    length += String(found?.field(field).getValue(component) ?? '').length;
  }
  return length;
}

function editHl7v2(text: string, position: Position, value: string): number {
  const message = HL7Message.parse(text);
  const { segment, field, component } = position;
  message.getSegment(segment)?.field(field).setValue(value, component);
  return touch(message.toHL7String());
}

function buildNodeHl7Client(): Reader {
  const { Message } = require('node-hl7-client') as NodeHl7Client;
  return {
    name: 'node-hl7-client',
    read(text, positions) {
      const message = new Message({ text });
      let length = 0;
      for (const { segment, occurrence, field, component } of positions) {
        const found =
          occurrence === 1 ? message.get(segment) : message.get(segment).get(occurrence - 1);
        length += found.get(`${segment}.${field}.${component}`).toString().length;
      }
      return length;
    },
    edit(text, { segment, field, component }, value) {
      const message = new Message({ text });
      message.set(`${segment}.${field}.${component}`, value);
      return touch(message.toString());
    },
  };
}

function buildSimpleHl7(): Reader {
  const { Parser } = require('simple-hl7') as SimpleHl7;
  // The only one who takes the segment end as a setting; without it a message of CR is one segment.
  const parser = new Parser({ segmentSeperator: '\r' });
  return {
    name: 'simple-hl7',
    read(text, positions) {
      const message = parser.parse(text);
      let length = 0;
      for (const { segment, occurrence, field, component } of positions) {
        const found =
          segment === 'MSH' ? message.header : message.getSegments(segment)[occurrence - 1];
        // It keeps a field as repetitions of components of sub-components, and MSH without its first two.
        const value = found?.fields[segment === 'MSH' ? field - 3 : field - 1]?.value;
        const components = (
          value as readonly (readonly { readonly value: readonly string[] }[])[]
        )[0];
        length += components?.[component - 1]?.value.join('').length ?? 0;
      }
      return length;
    },
    edit(text, { segment, field, component }, value) {
      const message = parser.parse(text);
      message.getSegments(segment)[0]?.setComponent(field, component, value);
      return touch(message.toString());
    },
  };
}
