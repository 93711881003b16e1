import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { versions } from '../../core/hl7v2/definitions/versions.ts';
import { compare, isOracleHere, kinds, readOracle } from '../support/definitions/oracle.ts';

// Compares the definitions with those beside the repository, and prints how often they disagree.
// `npm run definitions:check [-- version [kind]]`: with a version every disagreement is printed.

if (!isOracleHere) throw new Error('The definitions to compare with are not at ../shared/data.');
const [only, kind] = process.argv.slice(2);
for (const version of versions) {
  if (only !== undefined && only !== version) continue;
  const found = compare(openDefinitions().of(version), readOracle(version));
  const counts = kinds.map((each) => {
    const count = found.filter((disagreement) => disagreement.kind === each).length;
    return count === 0 ? '' : `${each} ${count}`;
  });
  console.log(`${version}: ${counts.filter((text) => text !== '').join(', ')}`);
  if (only === undefined) continue;
  for (const each of found) {
    if (kind !== undefined && each.kind !== kind) continue;
    console.log(`  ${each.kind} ${each.place}: ours [${each.ours}], theirs [${each.theirs}]`);
  }
}
