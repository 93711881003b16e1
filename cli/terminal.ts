/**
 * HL7 v2 as it is to be written to standard output: segments end with CR, which a terminal takes for the begin of the same line,
 * so that each segment would hide the one before. There they stand on lines of their own; a file or pipe gets every byte as it is.
 */
export const toShown = (hl7: string, isTerminal = process.stdout.isTTY): string =>
  isTerminal ? hl7.replaceAll('\r', '\n') : hl7;
