import type { Issue } from '../issue.ts';
import type { Charset } from './charset-names.ts';

/** What does not fit, and how it was read instead. */
interface Mismatch {
  readonly bytes: Uint8Array;
  readonly declared: Charset;
  /** The set that the message was read as. */
  readonly read: string;
  /** The first byte that does not fit, 0-based, where it is known. */
  readonly at: number | undefined;
}

/** `charset-mismatch`: bytes that the declared set has not, with the place of the first. */
export function buildMismatch({ bytes, declared, read, at }: Mismatch): Issue {
  const where = at === undefined ? '' : ` from ${describePlace(bytes, at)} on`;
  const how =
    read === declared.name ? 'they are kept as they are' : `read as ${read}, its bytes are kept`;
  return {
    code: 'charset-mismatch',
    severity: 'warning',
    location: 'MSH-18',
    message: `Expected bytes of ${declared.name} as MSH-18 says, found others${where}; ${how}; correct MSH-18 or set the sender's character set`,
  };
}

/** `charset-unknown`: MSH-18 names a set that we cannot read; `charset-unsupported` where HL7 knows it. */
export function buildUnreadable(names: string, read: string): Issue {
  const isKnown = /CNS\s*11643/i.test(names);
  const found = isKnown
    ? 'Expected a character set that can be read, found CNS 11643'
    : 'Expected a character set of table 0211, found another name';
  return {
    code: isKnown ? 'charset-unsupported' : 'charset-unknown',
    severity: 'warning',
    location: 'MSH-18',
    message: `${found}; read as ${read}, its bytes are kept; correct MSH-18 or set the sender's character set`,
  };
}

/** `charset-undeclared`: bytes beyond ASCII in a message whose MSH-18 is empty, which means ASCII. */
export function buildUndeclared(bytes: Uint8Array, read: string): Issue {
  const at = bytes.findIndex((byte) => byte >= 0x80);
  return {
    code: 'charset-undeclared',
    severity: 'information',
    location: 'MSH-18',
    message: `Expected ASCII, which an empty MSH-18 means, found other bytes from ${describePlace(bytes, at)} on; read as ${read}; set the sender's character set`,
  };
}

/** The line (1-based) and the byte (0-based): nothing of what stands there. */
function describePlace(bytes: Uint8Array, at: number): string {
  let line = 1;
  for (let index = 0; index < at; index++) {
    const byte = bytes[index];
    if (byte === 0x0a || (byte === 0x0d && bytes[index + 1] !== 0x0a)) line++;
  }
  return `byte ${at} (line ${line})`;
}
