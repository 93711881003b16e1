import type { Command } from 'commander';
import {
  readCaseFilesSync,
  readGoldenSync,
  writeGoldenSync,
} from '../connectors/file/case-files.ts';
import { openDefinitions } from '../connectors/file/definition-files.ts';
import { readMappingFilesSync } from '../connectors/file/mapping-files.ts';
import { findGolden, runCaseIn } from '../connectors/file/run-cases.ts';
import { HilumError, toLine } from '../core/errors.ts';
import { type Issue, isValid } from '../core/issue.ts';
import { keepMasks } from '../core/mapping/compare.ts';
import { findRulePlaces, findUnexercised, type RulePlace } from '../core/mapping/cases/coverage.ts';
import { describeUnknownField } from '../core/mapping/cases/unknown-field.ts';
import { type MappingCase, parseCases } from '../core/mapping/cases/document.ts';
import type { CaseResult } from '../core/mapping/cases/result.ts';
import { findLayer } from '../core/mapping/compile.ts';
import { parseFiles } from '../core/mapping/parse-files.ts';
import { suggest } from '../core/suggest.ts';
import { findReached } from '../core/mapping/version.ts';
import { collect, findMappings } from './find-mappings.ts';

interface Options {
  readonly json?: boolean;
  readonly update?: boolean;
  readonly mappings: string;
  readonly layer: readonly string[];
}

/**
 * `hilum mapping test [ID] [--layer NAME] [--update] [--json]`: runs the cases beside the maps, and names the rules, and
 * parts of message maps, that none of them exercises. Exits 1 where a case fails or something is exercised by none, 2
 * where files are faulty.
 */
export function registerMappingTest(mapping: Command): void {
  mapping
    .command('test')
    .description(
      'Run the cases of the maps, and name the rules, and parts of message maps, that none of them exercises.',
    )
    .argument('[id]', 'only the cases and rules of this map: PID.Patient, ORU_R01')
    .option(
      '--layer <name>',
      'only the cases and rules of this layer; may be repeated',
      collect,
      [],
    )
    .option('--update', 'write the golden files anew; what was masked stays masked')
    .option('--json', 'as JSON')
    .option('--mappings <folder>', 'the mapping files', findMappings(import.meta.dirname))
    .addHelpText(
      'after',
      `
Cases are lists in files *.case.yaml anywhere below the mappings folder; those below layers/NAME/ are mapped with
that layer. A case has a message and says what must come out of it: facts, FHIRPath expressions, a golden file.
Exits 1 where a case fails or a rule or part is exercised by none, 2 where a file is faulty.`,
    )
    .action(async (id: string | undefined, options: Options) => {
      try {
        await test(id, options);
      } catch (error) {
        if (!(error instanceof HilumError)) throw error;
        refuse(error.issues);
      }
    });
}

async function test(id: string | undefined, options: Options): Promise<void> {
  const { mappings, layer, update = false, json = false } = options;
  const issues: Issue[] = [];
  const files = readMappingFilesSync(mappings);
  const { maps, tables } = parseFiles(files, issues);
  const cases = readCaseFilesSync(mappings).flatMap((file) => parseCases(file, issues));
  const documents = maps.map(({ document }) => document);
  const known = new Set([
    ...documents.flatMap((map) => [map.layer, ...(map.extends ? [] : [map.id])]),
    ...tables.map(findLayer),
  ]);
  // A map that is faulty is not known either: what is wrong with it says more.
  const asked = isValid(issues) ? [...layer, ...(id === undefined ? [] : [id])] : [];
  for (const name of asked) if (!known.has(name)) issues.push(toUnknown(name, known));
  if (!isValid(issues)) {
    refuse(issues);
    return;
  }
  const reached = id === undefined ? undefined : findReached(documents, id);
  const isAsked = ({ layers }: Pick<MappingCase, 'layers'>): boolean =>
    layer.length === 0 || layer.some((name) => layers.includes(name));
  const results: CaseResult[] = [];
  for (const one of cases.filter(isAsked)) {
    const result = await runCaseIn(mappings, one);
    if (id === undefined || isOf(id, result)) {
      results.push(update ? await updateGolden(mappings, result) : result);
    }
  }
  const places = findRulePlaces(files).filter(
    ({ rule, layer: own }) =>
      isAsked({ layers: [own] }) && reached?.has(rule.slice(0, rule.indexOf('#'))) !== false,
  );
  const unexercised = findUnexercised(places, results);
  if (json) printJson(results, places, unexercised);
  else print(results, places, unexercised);
  const isGood = unexercised.length === 0 && results.every(({ findings }) => findings.length === 0);
  if (!isGood) process.exitCode = 1;
}

/** Whether one of the map's rules, or of a message map's resources, had a part in it. */
function isOf(id: string, { fired, firedBack }: CaseResult): boolean {
  return [...fired, ...firedBack].some((rule) => rule.startsWith(`${id}#`));
}

async function updateGolden(mappings: string, result: CaseResult): Promise<CaseResult> {
  const file = findGolden(mappings, result.case);
  if (file === undefined || !result.findings.some(({ kind }) => kind === 'golden')) return result;
  writeGoldenSync(file, keepMasks(readGoldenSync(file), result.resource));
  process.stderr.write(`${file} was written; read what has changed before you keep it.\n`);
  return runCaseIn(mappings, result.case);
}

function print(
  results: readonly CaseResult[],
  places: readonly RulePlace[],
  unexercised: readonly RulePlace[],
): void {
  const failed = results.filter(({ findings }) => findings.length > 0);
  for (const { case: one, findings } of failed) {
    process.stdout.write(`${one.file}:${one.line}: ${one.name}\n`);
    for (const { kind, message } of findings) process.stdout.write(`  ${kind}: ${message}\n`);
  }
  for (const { path, line, rule, layer, from } of unexercised) {
    const of = layer === 'base' ? '' : ` of the layer ${layer}`;
    const hint = from === undefined ? '' : describeUnknownField(from, openDefinitions());
    process.stdout.write(`${path}:${line}: ${rule}${of} is exercised by no case${hint}\n`);
  }
  process.stdout.write(
    `${results.length} ${results.length === 1 ? 'case' : 'cases'}, ${failed.length} failed; ` +
      `${places.length - unexercised.length} of ${places.length} rules and parts exercised\n`,
  );
}

function printJson(
  results: readonly CaseResult[],
  places: readonly RulePlace[],
  unexercised: readonly RulePlace[],
): void {
  const cases = results.map(({ case: { file, line, name, layers }, findings }) => ({
    ...{ file, line, name, layers, findings },
  }));
  const rules = { total: places.length, unexercised };
  process.stdout.write(`${JSON.stringify({ cases, rules }, undefined, 2)}\n`);
}

const toUnknown = (name: string, known: ReadonlySet<string | undefined>): Issue => ({
  code: 'mapping-unknown',
  severity: 'error',
  location: name,
  message: `There is no such map or layer; \`hilum mapping list\` shows which there are.${suggest(
    name,
    [...known].filter((one) => one !== undefined),
  )}`,
});

function refuse(issues: readonly Issue[]): void {
  for (const issue of issues) process.stderr.write(`${toLine(issue)}\n`);
  process.exitCode = 2;
}
