import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openDefinitions } from '../../../connectors/file/definition-files.ts';
import {
  listShippedProfiles,
  openProfile,
  readProfile,
  readProfileCopy,
} from '../../../connectors/file/profile-files.ts';
import { findFailure } from '../../../core/errors.ts';
import { openCopy } from '../../../core/hl7v2/profile/profile-copy.ts';
import type { ProfileCopy } from '../../../core/hl7v2/profile/profile.ts';
import { makeTempFolder } from '../../support/temp.ts';

const definitions = openDefinitions();
const folder = makeTempFolder('profiles');
const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

function findCodes(name: string, folders: readonly string[] = []): readonly string[] {
  try {
    readProfile(name, { definitions, folders });
    return [];
  } catch (error) {
    return findFailure(error)?.issues.map(({ code }) => code) ?? ['none'];
  }
}

test('a shipped profile is found by its name, and opened once', () => {
  const opened = openProfile('lab-results', { definitions });
  expect(opened.profile.messages).toEqual(['ORU^R01']);
  expect(openProfile('lab-results', { definitions })).toBe(opened);
});

test.each(listShippedProfiles())('%s fits its version', (name) => {
  expect(findCodes(name)).toEqual([]);
});

test('a site has its own by path, or by name in its folder, with what stands beside them', () => {
  write('wards.csv', 'code\n007\n');
  const file = write(
    'acme.yaml',
    'profile: acme\nextends: adt\nfields: {PV1-3.1: {codes: {file: wards.csv}}}',
  );
  for (const opened of [
    readProfile(file, { definitions }),
    readProfile('acme', { definitions, folders: [folder] }),
  ]) {
    const place = opened.definitions.findSegment('PV1')?.fields[2];
    expect(place?.components?.[0]?.codes?.has('007')).toBe(true);
    expect(opened.definitions.findSegment('PID')?.fields[1]?.usage).toBe('X');
  }
});

test('a site’s profile may have the name of the shipped one that it extends', () => {
  write('lab-results.yaml', 'profile: lab-results\nextends: lab-results\nfields: {PID-7: R}');
  const { definitions: own } = readProfile('lab-results', { definitions, folders: [folder] });
  expect(own.findSegment('PID')?.fields[6]?.usage).toBe('R');
  expect(own.findSegment('PID')?.fields[7]?.usage).toBe('R');
});

test('what cannot be opened says why', () => {
  expect(findCodes('nobody')).toEqual(['profile-unknown']);
  expect(findCodes(path.join(folder, 'none.yaml'))).toEqual(['profile-unknown']);
  expect(findCodes(`${folder}/`)).toEqual(['profile-unreadable']);
  expect(findCodes(write('bad.yaml', 'profile: bad\nextends: adt\nfields: {PID-99: R}'))).toEqual([
    'profile-invalid',
  ]);
  const around = write('one.yaml', 'profile: one\nextends: two');
  write('two.yaml', 'profile: two\nextends: one');
  expect(findCodes(around)).toEqual(['profile-invalid']);
});

describe('a copy', () => {
  const wardsOf = (copy: ProfileCopy): ReadonlySet<string> | undefined => {
    const place = openCopy(copy, definitions).definitions.findSegment('PV1')?.fields[2];
    return place?.components?.[0]?.codes as ReadonlySet<string> | undefined;
  };
  const text = 'profile: own\nextends: base\nfields: {PV1-3.1: {codes: {file: own.csv}}}';

  test('opens without its files, and on any machine', () => {
    const written = [
      write('base.yaml', 'profile: base\nextends: adt\nfields: {PID-7: R}'),
      write('own.csv', 'code\n12\n'),
      write('own.yaml', text),
    ];
    const copy = readProfileCopy('own', { folders: [folder] });
    for (const file of written) rmSync(file);
    const moved = JSON.parse(JSON.stringify(copy)) as ProfileCopy;
    expect(wardsOf(moved)?.has('12')).toBe(true);
    const { definitions: own } = openCopy(moved, definitions);
    expect(own.findSegment('PID')?.fields[6]?.usage).toBe('R');
    expect(own.findSegment('PID')?.fields[1]?.usage).toBe('X');
    expect(openCopy(moved, definitions)).toBe(openCopy(moved, definitions));
  });

  test('is of the files that a folder is taken to hold, and of no others in it', () => {
    write('own.yaml', 'profile: own\nextends: adt');
    write('base.yaml', 'profile: base\nextends: adt');
    const files = new Map([
      ['own.yaml', text.replace('base', 'adt')],
      ['own.csv', 'code\n34\n'],
    ]);
    const instead = { folder, files };
    const copy = readProfileCopy('own', { folders: [folder], instead });
    expect(wardsOf(copy)?.has('34')).toBe(true);
    expect(() => readProfileCopy('base', { folders: [folder], instead })).toThrow(
      /profile-unknown/,
    );
  });
});
