import { isUint8Array } from 'node:util/types';
import type { PayloadForm } from '../../core/payload-changes.ts';

/** A payload as it was at one moment, whatever becomes of the object since. */
export interface Captured {
  readonly form: PayloadForm;
  /** Undefined where it is too large to be kept, or cannot be written as JSON: then it is known by identity alone. */
  readonly text: string | undefined;
  /** In characters of text or JSON, or in bytes; 0 where it cannot be told. */
  readonly size: number;
  /** The object itself, where there is no text. */
  readonly itself?: unknown;
}

/**
 * Text is immutable and costs nothing to keep; bytes and objects are copied, at every node that they pass. So much of
 * them that it does not show: an object's JSON is written once for every node.
 */
const maxCopied = 256 * 1024;

export function capture(payload: unknown): Captured {
  if (typeof payload === 'string') return { form: 'text', text: payload, size: payload.length };
  if (isUint8Array(payload)) {
    const size = payload.length;
    if (size > maxCopied) return { form: 'bytes', text: undefined, size, itself: payload };
    const { buffer, byteOffset } = payload;
    return { form: 'bytes', text: Buffer.from(buffer, byteOffset, size).toString('latin1'), size };
  }
  if (payload === null || typeof payload !== 'object') {
    const text = String(payload);
    return { form: 'value', text, size: text.length };
  }
  const text = toJson(payload);
  const size = text?.length ?? 0;
  if (text === undefined || size > maxCopied) {
    return { form: 'object', text: undefined, size, itself: payload };
  }
  return { form: 'object', text, size };
}

/** Whether it is that very payload, found without writing it again: false may also mean that it was not looked. */
export function isPlainlySame({ form, text, itself }: Captured, payload: unknown): boolean {
  if (typeof payload === 'string') return form === 'text' && text === payload;
  return text === undefined && itself === payload;
}

export function isSame(one: Captured, other: Captured): boolean {
  if (one.form !== other.form) return false;
  return one.text === undefined ? one.itself === other.itself : one.text === other.text;
}

/** Undefined for what has cycles, big integers or a `toJSON` that throws. */
function toJson(payload: object): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(payload);
    return text;
  } catch {
    return undefined;
  }
}
