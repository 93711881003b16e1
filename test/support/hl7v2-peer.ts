import { text } from 'node:stream/consumers';
import { HL7Message } from 'hl7v2';

/*
 * Reads messages (a JSON array of texts) from standard input with the npm package `hl7v2` and prints what
 * it finds: for every message a list of [segment, field, repetition, component, value], places 1-based.
 * A program of its own: the package is ES modules that take seconds to load.
 */

export type PeerValue = readonly [number, number, number, number, string];

const messages = JSON.parse(await text(process.stdin)) as readonly string[];
process.stdout.write(JSON.stringify(messages.map(readAll)));

function readAll(message: string): readonly PeerValue[] {
  const values: PeerValue[] = [];
  HL7Message.parse(message).segments.forEach((segment, at) => {
    for (let field = 1; field < 60; field += 1) {
      if (segment.segmentType === 'MSH' || segment.definition.fields[field] === undefined) continue;
      segment.field(field).repetitions.forEach((repetition, occurrence) => {
        repetition.components?.forEach((component, position) => {
          const value: unknown = component.getValue();
          if (typeof value !== 'string' && typeof value !== 'number') return;
          values.push([at + 1, field, occurrence + 1, position + 1, String(value)]);
        });
      });
    }
  });
  return values;
}
