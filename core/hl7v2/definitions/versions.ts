/** The versions of HL7 v2 that MSH-12 may name, in their order. */
export const versions = [
  '2.1',
  '2.2',
  '2.3',
  '2.3.1',
  '2.4',
  '2.5',
  '2.5.1',
  '2.6',
  '2.7',
  '2.7.1',
  '2.8',
  '2.8.1',
  '2.8.2',
] as const;

/** Published after the newest version that is described here. */
const laterVersions: readonly string[] = ['2.9', '2.9.1'];

export type Version = (typeof versions)[number];

/** The version of that name; undefined for one that HL7 has not published or that came later ({@link isLaterVersion}). */
export function findVersion(name: string): Version | undefined {
  return versions.find((version) => version === name);
}

/** Whether a name is that of a published version later than all that are described here. */
export function isLaterVersion(name: string): boolean {
  return laterVersions.includes(name);
}

/** Versions from one to another, both included; without an end, all later ones. */
export interface VersionRange {
  readonly from: Version;
  readonly to?: Version;
}

/** Whether a version lies in a range. */
export function isWithin(version: Version, { from, to }: VersionRange): boolean {
  const at = versions.indexOf(version);
  return at >= versions.indexOf(from) && (to === undefined || at <= versions.indexOf(to));
}
