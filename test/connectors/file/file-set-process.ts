/** Makes a change of files and ends without a word at the step of the given number; exits with 0 where there is none. */
import { writeFileSet } from '../../../connectors/file/file-set.ts';

const [journal = '', changes = '', endAt = ''] = process.argv.slice(2);
const { write, remove } = JSON.parse(changes) as {
  readonly write: readonly (readonly [string, string])[];
  readonly remove: readonly string[];
};
let steps = 0;
await writeFileSet(journal, { write: new Map(write), remove }, () => {
  steps += 1;
  if (steps === Number(endAt)) process.kill(process.pid, 'SIGKILL');
});
