import type { Version } from '../definitions/versions.ts';

/** A profile's file as it was read: core never touches a file system. */
export interface ProfileFile {
  /** Where it is from; used in every issue. */
  readonly path: string;
  readonly text: string;
}

/** What a profile refers to, handed in by whoever reads files. */
export interface ProfileFiles {
  /** The profile that another one extends, by its name, or by a file's name beside that one. */
  find(name: string, from: ProfileFile): ProfileFile | undefined;
  /** A list of codes beside a profile. */
  readCodes(name: string, from: ProfileFile): ProfileFile | undefined;
}

/** A profile with everything that it refers to: it opens the same on any machine, whatever becomes of its files. */
export interface ProfileCopy {
  /** As nodes name it. */
  readonly name: string;
  /** Where its path is relative, it was in the site's folder of profiles. */
  readonly file: ProfileFile;
  readonly parts: readonly ProfilePart[];
}

/** A file that a profile refers to: one that it extends, or a list of codes. */
export interface ProfilePart {
  readonly kind: 'profile' | 'codes';
  /** As it is referred to. */
  readonly name: string;
  /** The path of the file that refers to it. */
  readonly from: string;
  readonly file: ProfileFile;
}

/** A site's rules over a version of HL7, read but not yet held against the version. */
export interface Profile {
  readonly name: string;
  readonly title: string;
  readonly version: Version;
  /** `ORU^R01`; what other messages have to say is not its affair. */
  readonly messages: readonly string[];
  /** What it extends first, itself last: a later layer's rule wins. */
  readonly layers: readonly ProfileLayer[];
}

/** The rules of one file. */
export interface ProfileLayer {
  readonly name: string;
  readonly segments: readonly Rule<ItemRule>[];
  readonly fields: readonly Rule<ElementRule>[];
  readonly datatypes: readonly Rule<ElementRule>[];
  readonly valueSets: ReadonlyMap<string, Rule<CodesRule>>;
  /** Where a part of the file stands, `acme.yaml:12:5`. */
  readonly locate: (path: readonly (string | number)[]) => string;
  /** The texts of the lists of codes that it names. */
  readonly codeFiles: ReadonlyMap<string, string>;
}

export interface Rule<T> {
  /** `PID-3.1`, `ORDER_OBSERVATION.OBR`, as written. */
  readonly key: string;
  readonly rule: T;
  /** The section of the file and the key, for `locate`. */
  readonly path: readonly string[];
}

/** About a segment or group. Every value as it is written. */
export interface ItemRule {
  readonly usage?: 'R' | 'RE' | 'O' | 'X';
  readonly min?: string;
  readonly max?: string;
  readonly after?: string;
  readonly before?: string;
  readonly note?: string;
}

/** About a field, component or sub-component. Every value as it is written. */
export interface ElementRule {
  readonly name?: string;
  /** `R`, `C(R/O)` … */
  readonly usage?: string;
  readonly when?: string;
  readonly then?: 'R' | 'RE' | 'O' | 'X';
  readonly otherwise?: 'R' | 'RE' | 'O' | 'X';
  readonly min?: string;
  readonly max?: string;
  readonly length?: string;
  readonly datatype?: string;
  readonly fixed?: string;
  readonly codes?: CodesRule | string | readonly string[];
  readonly pattern?: string;
  readonly note?: string;
}

/** One of `list`, `table`, `set` and `file`, and what is different. */
export interface CodesRule {
  readonly list?: readonly string[];
  readonly table?: string;
  readonly set?: string;
  readonly file?: string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly system?: string;
  readonly closed?: string;
  readonly note?: string;
}

/** Whether a profile is for messages of this type and event (MSH-9.1 and MSH-9.2). */
export function isForMessage(profile: Profile, type: string, event: string): boolean {
  return profile.messages.includes(`${type}^${event}`);
}
