import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { buildLabResult } from '../../support/lab-results.ts';
import type { PeerValue } from '../../support/hl7v2-peer.ts';

/*
 * The npm package `hl7v2` as a peer: on well-formed messages both must read the same values. Left out is
 * what it changes on reading (docs/decisions/hl7v2-parser.md): times, numbers' zeros, and formatting escapes.
 */

const samples = path.join(import.meta.dirname, '../../../samples');
const messages = [
  readFileSync(path.join(samples, 'oru-r01.hl7'), 'utf8'),
  readFileSync(path.join(samples, 'adt-a01.hl7'), 'utf8'),
  ...[1, 2, 3].map((index) => buildLabResult({ index, patient: index, observations: 4 })),
];
const changedByPeer = /^\d{4,}|^\d+\.\d*0$|^0\d|\\\.br\\/;

test('values are those that hl7v2 reads', () => {
  const peer = path.join(import.meta.dirname, '../../support/hl7v2-peer.ts');
  const run = spawnSync(process.execPath, [peer], {
    input: JSON.stringify(messages),
    encoding: 'utf8',
    timeout: 25_000,
  });
  expect(run.stderr).toBe('');
  const found = JSON.parse(run.stdout) as readonly (readonly PeerValue[])[];
  let compared = 0;
  messages.forEach((text, index) => {
    const parsed = parseMessage(text);
    if (!parsed.ok) throw new Error('Expected a message.');
    for (const [segment, field, repetition, component, value] of found[index] ?? []) {
      const place = parsed.message.segments[segment - 1]?.field(field).repetitions[repetition - 1];
      const whole = place?.component(component);
      // Where its dictionary calls a component primitive, the peer takes its sub-components for one text.
      const ours = value.includes('&') ? whole : whole?.subcomponent(1);
      if (ours === undefined || changedByPeer.test(ours.raw)) continue;
      expect([index, segment, field, repetition, component, ours.text]).toEqual([
        ...[index, segment, field, repetition, component],
        value,
      ]);
      compared += 1;
    }
  });
  expect(compared).toBeGreaterThan(200);
});
