import type { Command } from 'commander';
import { openReverseMapper, readMappingFilesSync } from '../connectors/file/mapping-files.ts';
import { HilumError, toLine } from '../core/errors.ts';
import { type Issue, isValid } from '../core/issue.ts';
import { type EffectiveMap, findEffectiveMaps } from '../core/mapping/effective.ts';
import { suggest } from '../core/suggest.ts';
import { findFromFhirVersions, findVersions } from '../core/mapping/version.ts';
import { collect, findMappings } from './find-mappings.ts';
import { tryOpen } from './map-output.ts';

/** A map that a node may pin also with its version: of messages over all that it reaches, from FHIR to FHIR its own. */
type ShownMap = EffectiveMap & { readonly version?: string };

interface Options {
  readonly json?: boolean;
  readonly mappings: string;
  readonly layer: readonly string[];
}

/**
 * `hilum mapping list` and `hilum mapping show ID`, both with `--layer NAME` (repeated, in order) and `--json`: the
 * maps as they are in effect, each with its hash, and of one map every rule with the layer and blocks that it comes from, or with
 * `--reverse` what becomes of it on the way back. Exits
 * 1 where there is no such map, 2 where the files are faulty.
 */
export function registerMappingShow(mapping: Command): void {
  withOptions(mapping.command('list').description('Show the maps that are in effect.')).action(
    (options: Options) => {
      const maps = open(options);
      if (maps === undefined) return;
      if (options.json === true)
        print(maps.map(({ rules, ...map }) => ({ ...map, rules: rules.length })));
      else
        for (const map of maps) {
          const { length } = map.rules;
          process.stdout.write(`${toHead(map)}, ${length} ${length === 1 ? 'rule' : 'rules'}\n`);
        }
    },
  );
  withOptions(
    mapping
      .command('show')
      .description('Show a map with its layers over it, and the layer of each rule.')
      .argument('<id>', 'the id of the map: PID.Patient')
      .option('--reverse', 'what becomes of each rule on the way from FHIR to HL7 v2, and why'),
  ).action((id: string, options: Options & { readonly reverse?: boolean }) => {
    const maps = open(options);
    if (maps === undefined) return;
    if (options.reverse === true && showReverse(id, options)) return;
    const map = maps.find((known) => known.id === id);
    if (map === undefined) {
      process.stderr.write(
        `There is no map ${id}; \`hilum mapping list\` shows which there are.${suggest(
          id,
          maps.map((known) => known.id),
        )}\n`,
      );
      process.exitCode = 1;
    } else if (options.json === true) print(map);
    else {
      process.stdout.write(`${toHead(map)}\n`);
      for (const { layer, blocks = [], rule } of map.rules) {
        const origin = [layer, ...blocks].join(' > ');
        process.stdout.write(`${origin}  ${JSON.stringify(rule)}\n`);
      }
    }
  });
}

/** Whether there is such a map of which rules go back. */
function showReverse(id: string, { mappings, layer, json }: Options): boolean {
  const rules = tryOpen(() => openReverseMapper(mappings, layer))?.rulesOf(id);
  if (rules === undefined) return false;
  if (json === true) print(rules);
  else {
    for (const rule of rules) {
      const why = rule.why === undefined ? '' : `: ${rule.why}`;
      process.stdout.write(`${rule.reverse.padEnd(10)}  ${rule.id}${why}\n`);
    }
  }
  return true;
}

const withOptions = (command: Command): Command =>
  command
    .option('--json', 'as JSON')
    .option('--mappings <folder>', 'the mapping files', findMappings(import.meta.dirname))
    .option('--layer <name>', 'a layer to apply; may be repeated', collect, []);

const toHead = ({ id, kind, hash, path, version }: ShownMap): string =>
  `${hash} ${id} (${kind}, ${path}${version === undefined ? '' : `, version ${version}`})`;

const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
};

function open({ mappings, layer }: Options): readonly ShownMap[] | undefined {
  const issues: Issue[] = [];
  let maps: readonly ShownMap[] = [];
  try {
    const files = readMappingFilesSync(mappings);
    const pinnable = [
      ...findVersions(files, layer, []),
      ...findFromFhirVersions(files, layer, []).maps,
    ];
    const versions = new Map(pinnable.map(({ id, version }) => [id, version]));
    maps = findEffectiveMaps(files, layer, issues).map((map) => {
      const version = versions.get(map.id);
      return version === undefined ? map : { ...map, version };
    });
  } catch (error) {
    if (!(error instanceof HilumError)) throw error;
    issues.push(...error.issues);
  }
  for (const issue of issues) process.stderr.write(`${toLine(issue)}\n`);
  if (isValid(issues)) return maps;
  process.exitCode = 2;
  return undefined;
}
