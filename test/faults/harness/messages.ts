import { buildLabResult, controlIdOf } from '../../support/lab-results.ts';

/** As many keys as messages are spread over; the number of a sender's connections must divide it. */
export const patients = 40;

/**
 * The message with this number, always the same bytes. Messages of one patient have numbers that only grow,
 * and come over one connection: so their order is known.
 */
export function buildMessage(index: number): Buffer {
  return Buffer.from(buildLabResult({ index, patient: patientOf(index) }), 'latin1');
}

/** What the partner is to get of it: MSH-6 as the flow sets it, everything else as it was sent. */
export function buildExpected(index: number): string {
  return buildMessage(index).toString('latin1').replace('|HILUM|EHR|', `|HILUM|${editedFacility}|`);
}

export const editedFacility = 'FAULTS';

export function patientOf(index: number): number {
  return index % patients;
}

/** The number of the message with this control id; NaN where it is none of ours. */
export function readIndex(controlId: string): number {
  return /^LAB\d+$/.test(controlId) ? Number(controlId.slice(3)) : Number.NaN;
}

export { controlIdOf };

const start = 0x0b;
const end = Buffer.from([0x1c, 0x0d]);

export function frame(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([start]), content, end]);
}

/** Takes MLLP frames out of what a connection reads; written for the tests alone. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Buffer[] = [];
    for (;;) {
      const at = this.#rest.indexOf(end);
      if (at < 0) return frames;
      frames.push(this.#rest.subarray(this.#rest[0] === start ? 1 : 0, at));
      this.#rest = this.#rest.subarray(at + end.length);
    }
  }
}
