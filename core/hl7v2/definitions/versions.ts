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

export type Version = (typeof versions)[number];

/** The version of that name; undefined for one that HL7 has not published or that came later. */
export function findVersion(name: string): Version | undefined {
  return versions.find((version) => version === name);
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
