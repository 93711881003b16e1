import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { readProfile } from '../../connectors/file/profile-files.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import { makeTempFolder } from '../support/temp.ts';

const folder = makeTempFolder('conditions');

/** Rule of a field, a PID, where something is missing or too much. */
const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['PID-3.5: {usage: C(R/O), when: PID-3.4 valued}', '1^^^A^MR~2', []],
  ['PID-3.5: {usage: C(R/O), when: PID-3.4 valued}', '1~2^^^B~3^^^C^PI', ['PID-3[2].5']],
  ['PID-3.5: {usage: C(R/O), when: PID-3.4.1 = B}', '1^^^A~2^^^B', ['PID-3[2].5']],
  ['PID-3.5: {usage: C(X/O), when: PID-3.4 not valued}', '1^^^A^MR~2^^^^PI', ['PID-3[2].5']],
  ['PID-7: {usage: C(R/O), when: PID-3.5 = MR}', '1^^^A^PI~2^^^B^MR', ['PID-7']],
  ['PID-7: {usage: C(R/O), when: count(PID-3) > 1}', '1~2', ['PID-7']],
  ['PID-7: {usage: C(R/O), when: "MSH-11.1 = P and not PID-8 in [F, M]"}', '1', ['PID-7']],
  ['PID-3.4: {usage: C(R/O), when: "PID-3.1 matches \'[0-9]+\'"}', 'A~2', ['PID-3[2].4']],
];

test.each(cases)('%s with PID-3 %s', (rule, identifiers, expected) => {
  const file = join(folder, 'rule.yaml');
  const head = 'profile: rule\nversion: 2.5.1\nmessages: [ADT^A01]\n';
  writeFileSync(file, `${head}fields:\n  ${rule}\n`);
  const parsed = parseMessage(
    `MSH|^~\\&|A|B|C|D|20260312||ADT^A01^ADT_A01|1|P|2.5.1\rEVN||20260312\rPID|1||${identifiers}||S^I\rPV1|1|I\r`,
  );
  if (!parsed.ok) throw new Error('no message');
  const { definitions } = readProfile(file, { definitions: openDefinitions() });
  const found = validate(parsed.message, definitions).map(({ location }) => location);
  expect(found).toEqual(expected);
});
