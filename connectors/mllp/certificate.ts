import type { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { normalizeIpv6 } from './peer-address.ts';

const longestSubject = 200;

/**
 * The subject for people, the common name first: `CN=lab.example,O=Laboratory,C=DE`. Where it is empty, which
 * Node gives as undefined, the alternative names stand for it.
 */
export function formatSubject(certificate: X509Certificate): string {
  const subject = certificate.subject as string | undefined;
  const parts = (subject ?? certificate.subjectAltName ?? 'no subject').split('\n').reverse();
  const named = parts.filter((part) => part.startsWith('CN='));
  const others = parts.filter((part) => !part.startsWith('CN='));
  // A subject is the authority's text, but the ledger and the log are lines.
  const line = [...named, ...others].join(',').replace(/\p{Cc}/gu, '?');
  return line.slice(0, longestSubject);
}

/** Whom a client's certificate may be of; both absent: anybody's whom an authority vouches for. */
export interface AllowedClients {
  readonly allowedSubjects?: readonly string[];
  readonly allowedFingerprints?: readonly string[];
}

/** Why the certificate is not among the allowed ones, in words; undefined where it is. */
export function findObjection(
  certificate: X509Certificate,
  { allowedSubjects, allowedFingerprints }: AllowedClients,
): string | undefined {
  const fingerprint = normalizeFingerprint(certificate.fingerprint256);
  if (allowedFingerprints?.every((each) => normalizeFingerprint(each) !== fingerprint) === true) {
    return 'its fingerprint is none of the allowed ones';
  }
  if (allowedSubjects === undefined) return undefined;
  const names = new Set(namesOf(certificate).map(normalizeName));
  const isAllowed = allowedSubjects.some((each) =>
    names.has(normalizeName(each.replace(/^CN=/i, ''))),
  );
  return isAllowed ? undefined : 'its subject is none of the allowed ones';
}

/** Node writes an IPv6 address in full, people in its short form. */
function normalizeName(name: string): string {
  return isIPv6(name) ? normalizeIpv6(name) : name.toLowerCase();
}

function normalizeFingerprint(text: string): string {
  return text.replaceAll(':', '').toLowerCase();
}

/** Common names and alternative names: DNS, e-mail, URI and IP address. */
function namesOf(certificate: X509Certificate): readonly string[] {
  const legacy = certificate.toLegacyObject();
  const subject = legacy.subject as typeof legacy.subject | undefined;
  const { subjectaltname = '' } = legacy;
  const common = [subject?.CN].flat().filter((name) => name !== undefined);
  return [...common, ...readAlternativeNames(subjectaltname)];
}

/** `DNS:a.example, URI:"x, y"`: Node writes a value that could be misread as a JSON text. */
function readAlternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  for (const [, kind, value = ''] of text.matchAll(
    /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)/g,
  )) {
    const isName = kind === 'DNS' || kind === 'email' || kind === 'URI' || kind === 'IP Address';
    if (isName) names.push(value.startsWith('"') ? (JSON.parse(value) as string) : value);
  }
  return names;
}

const dayMs = 86_400_000;
const soonDays = 30;

/** That a certificate has expired or soon will, as a finding for the log; undefined while it is good for longer. */
export function findExpiry(
  certificate: X509Certificate,
  nowMs: number,
): { readonly code: string; readonly message: string } | undefined {
  const days = Math.floor((certificate.validToDate.getTime() - nowMs) / dayMs);
  if (days < 0) {
    return {
      code: 'certificate-expired',
      message: 'A certificate has expired: partners will refuse it. Put a new one in its place.',
    };
  }
  if (days >= soonDays) return undefined;
  return {
    code: 'certificate-expires-soon',
    message: `A certificate expires within ${days + 1} days. Put a new one in its place; it is read without a restart.`,
  };
}
