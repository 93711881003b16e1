import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { readProfile } from '../../connectors/file/profile-files.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { validateByProfile } from '../../core/hl7v2/profile/validate-by-profile.ts';
import { makeTempFolder } from '../support/temp.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/profiles.md'), 'utf8');
const folder = makeTempFolder('documentation');
const definitions = openDefinitions();

function findBlocks(language: string): readonly string[] {
  return page
    .split('```')
    .filter((block) => block.startsWith(`${language}\n`))
    .map((block) => block.slice(language.length + 1));
}

function openText(name: string, text: string): ReturnType<typeof readProfile> {
  const file = join(folder, name);
  writeFileSync(file, text);
  return readProfile(file, { definitions });
}

test('the worked example finds what the page says', () => {
  const [rules = '', message = '', findings = ''] = ['yaml', 'hl7', 'text'].map(
    (language) => findBlocks(language)[0],
  );
  const parsed = parseMessage(message);
  if (!parsed.ok) throw new Error('no message');
  const issues = validateByProfile(parsed.message, openText('acme.yaml', rules), definitions);
  const found = issues
    .filter(({ severity }) => severity === 'error')
    .map(({ severity, code, location = '' }) => `${severity} ${code} ${location}\n`);
  expect(found.sort().join('')).toBe(
    findings
      .split(/(?<=\n)/)
      .sort()
      .join(''),
  );
});

test('the codes on the page are ones that a profile takes', () => {
  writeFileSync(join(folder, 'wards.csv'), 'code\n01\n');
  const [, codes = ''] = findBlocks('yaml');
  const head = 'profile: codes\nversion: 2.5.1\nmessages: [ORU^R01]\n';
  const sets = 'valueSets: {abnormal: [H], tests: [2345-7]}\n';
  expect(() => openText('codes.yaml', head + sets + codes)).not.toThrow();
});

test('a message of another type is checked by its version alone', () => {
  const parsed = parseMessage('MSH|^~\\&|A|B|C|D|20260312||ACK^R01^ACK|1|P|2.5.1\rMSA|AA|1\r');
  if (!parsed.ok) throw new Error('no message');
  const opened = readProfile('lab-results', { definitions });
  expect(validateByProfile(parsed.message, opened, definitions)).toMatchObject([
    { code: 'profile-not-applicable', severity: 'warning', location: 'MSH-9' },
  ]);
});
