import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { openDefinitions } from '../connectors/file/definition-files.ts';
import { listShippedProfiles, readProfile } from '../connectors/file/profile-files.ts';
import { findFailure, toLine } from '../core/errors.ts';
import { flattenProfile, formatProfile } from '../core/hl7v2/profile/flatten-profile.ts';
import { importProfileXml } from '../core/hl7v2/profile/import-xml.ts';
import type { Profile } from '../core/hl7v2/profile/profile.ts';
import { profileSchema } from '../core/hl7v2/profile/schema.ts';

/**
 * `hilum profile check FILE…` prints what is wrong with a site's profiles and exits 1 if anything is; `show`
 * prints a profile with all that it extends; `import` turns HL7 v2 conformance-profile XML into one; `list`
 * and `schema` print the shipped profiles' names and the JSON Schema for editors.
 */
export function registerProfile(program: Command): void {
  const profile = program
    .command('profile')
    .description(
      'Check, show and import conformance profiles: a site’s rules over a version of HL7 v2.',
    );
  profile
    .command('check')
    .description('Everything that is wrong with profiles, with file, line and column.')
    .argument('<profile...>', 'files, or names of profiles')
    .action((names: readonly string[]) => names.forEach(check));
  profile
    .command('show')
    .description('A profile with all that it extends, each rule once, as a file.')
    .argument('<profile>', 'a file, or the name of a profile')
    .action((name: string) => {
      const found = open(name);
      if (found !== undefined) process.stdout.write(formatProfile(flattenProfile(found)));
    });
  profile
    .command('import')
    .description(
      'An HL7 v2 conformance profile (XML, as Messaging Workbench exports it) as a profile of Hilum.',
    )
    .argument('<file>', 'the XML file')
    .option('--out <file>', 'write the profile to this file; otherwise it is printed')
    .action(importFile);
  profile
    .command('list')
    .description('The names of the shipped profiles.')
    .action(() =>
      print(
        listShippedProfiles()
          .map((name) => `${name}\n`)
          .join(''),
      ),
    );
  profile
    .command('schema')
    .description('The JSON Schema of profiles, for editors.')
    .action(() => print(`${JSON.stringify(profileSchema, undefined, 2)}\n`));
}

/** A site's own folder of profiles, where the environment names one: `HILUM_PROFILES`. */
export function findSiteProfiles(): readonly string[] {
  const folder = process.env['HILUM_PROFILES'];
  return folder === undefined || folder === '' ? [] : [folder];
}

function print(text: string): void {
  process.stdout.write(text);
}

function check(name: string): void {
  const profile = open(name);
  if (profile === undefined) return;
  const { version, messages } = profile;
  process.stdout.write(`${name}: good, HL7 ${version}, ${messages.join(', ')}\n`);
}

/** Undefined where it has faults, which are printed: exit 1, or 2 where there is no such file. */
function open(name: string): Profile | undefined {
  try {
    const source = { definitions: openDefinitions(), folders: findSiteProfiles() };
    return readProfile(name, source).profile;
  } catch (error) {
    const failure = findFailure(error);
    if (failure === undefined) throw error;
    for (const issue of failure.issues) process.stderr.write(`${toLine(issue)}\n`);
    const isFault = failure.issues.every(({ code }) => code === 'profile-invalid');
    process.exitCode = Math.max(Number(process.exitCode ?? 0), isFault ? 1 : 2);
    return undefined;
  }
}

async function importFile(file: string, { out }: { readonly out?: string }): Promise<void> {
  const xml = await readFile(file, 'utf8');
  const name = path.basename(file, path.extname(file));
  const result = importProfileXml(xml, { definitions: openDefinitions(), name });
  for (const issue of result.issues) {
    process.stderr.write(`${file}: ${issue.severity}: ${toLine(issue)}\n`);
  }
  if (result.yaml === undefined) process.exitCode = 1;
  else if (out === undefined) process.stdout.write(result.yaml);
  else await writeFile(out, result.yaml);
}
