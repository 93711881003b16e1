const httpMethods = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;

/**
 * Which other protocol a connection seems to begin with, for the log: the usual mistakes are a browser,
 * and a partner that was told to use TLS. Undefined when it is none of these.
 */
export function findForeignProtocol(
  start: Uint8Array,
): 'TLS' | 'HTTP' | 'HL7 without MLLP' | undefined {
  const text = Buffer.from(start).toString('latin1');
  if (start[0] === 0x16 && start[1] === 0x03) return 'TLS';
  if (httpMethods.test(text)) return 'HTTP';
  if (/^(MSH|FHS|BHS)\W/.test(text)) return 'HL7 without MLLP';
  return undefined;
}
