import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { readMappingFilesSync } from '../connectors/file/mapping-files.ts';
import { HilumError, toLine } from '../core/errors.ts';
import type { Issue } from '../core/issue.ts';
import { parseFiles } from '../core/mapping/parse-files.ts';
import {
  type GuideComparison,
  type GuideRows,
  compareGuide,
} from '../core/mapping/guide/compare.ts';
import { Decisions, type GuideDecision, parseDecisions } from '../core/mapping/guide/decisions.ts';
import { compareTables } from '../core/mapping/guide/tables.ts';
import { type GuideSheet, guideKinds, parseSheet } from '../core/mapping/guide/sheet.ts';
import { findMappings } from './find-mappings.ts';

interface Options {
  readonly json?: boolean;
  readonly accept?: boolean;
  readonly mappings: string;
}

/** Where the hashes of the guide's rows are kept, in the mappings folder. */
const rowsFile = 'guide-rows.json';
/** What was decided about rows that no rule cites; in the mappings folder, or not there. */
const decisionsFile = 'guide-decisions.yaml';

/**
 * `hilum mapping import [--json] [--accept] DIR`: reads the CSV files of the HL7 Version 2 to FHIR guide (its
 * folder `mappings`) and prints what differs from our rules. Changes no rule; `--accept` keeps the rows as they
 * are now, once what changed has been looked at. Exits 1 if a row that a rule cites has changed or is gone, 2 if
 * something cannot be read.
 */
export function registerMappingImport(mapping: Command): void {
  mapping
    .command('import')
    .description(
      'Read the HL7 Version 2 to FHIR guide again and print what differs from the rules.',
    )
    .argument('<folder>', "the guide's folder with messages, segments, datatypes and codesystems")
    .option('--json', 'everything as one JSON document')
    .option('--accept', 'keep the rows as they are now for the next comparison')
    .option('--mappings <folder>', 'the mapping files', findMappings(import.meta.dirname))
    .action((folder: string, options: Options) => {
      const issues: Issue[] = [];
      const compared = compare(folder, options, issues);
      for (const issue of issues) process.stderr.write(`${toLine(issue)}\n`);
      if (compared === undefined || issues.length > 0) {
        process.exitCode = 2;
        return;
      }
      print(compared, options);
      if (options.accept === true) keep(compared.rows, options);
      else if (compared.differences.some(({ kind }) => kind.startsWith('rule-')))
        process.exitCode = 1;
    });
}

function compare(
  folder: string,
  { mappings }: Options,
  issues: Issue[],
): GuideComparison | undefined {
  try {
    const sheets = readSheets(folder, issues);
    const files = parseFiles(readMappingFilesSync(mappings), issues);
    const decisions = new Decisions(readDecisions(mappings, issues));
    const known = readRows(path.join(mappings, rowsFile));
    const compared = compareGuide(sheets, files.maps, { known, decisions });
    const tables = compareTables(
      sheets,
      files.tables.map(({ document }) => document),
    );
    return {
      ...compared,
      counts: { ...compared.counts, codesystems: tables.count },
      differences: [...compared.differences, ...tables.differences],
    };
  } catch (error) {
    if (!(error instanceof HilumError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}

function readSheets(folder: string, issues: Issue[]): GuideSheet[] {
  const sheets: GuideSheet[] = [];
  for (const kind of guideKinds) {
    let names: readonly string[];
    try {
      names = readdirSync(path.join(folder, kind));
    } catch {
      const message = `Expected the guide's folders ${guideKinds.join(', ')}; ${kind} cannot be read in ${folder}.`;
      issues.push({ code: 'guide-unreadable', severity: 'error', location: kind, message });
      continue;
    }
    for (const name of names.filter((file) => file.endsWith('.csv')).sort()) {
      const text = readFileSync(path.join(folder, kind, name), 'utf8');
      const sheet = parseSheet({ path: `${kind}/${name}`, text }, issues);
      if (sheet !== undefined) sheets.push(sheet);
    }
  }
  return sheets;
}

function readDecisions(mappings: string, issues: Issue[]): GuideDecision[] {
  const text = readIfThere(path.join(mappings, decisionsFile));
  return text === undefined ? [] : parseDecisions({ path: decisionsFile, text }, issues);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** None are known before the first `--accept`. */
function readRows(file: string): GuideRows {
  const text = readIfThere(file);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as GuideRows;
  } catch {
    const message = `Expected JSON as \`hilum mapping import --accept\` writes it; restore the file.`;
    throw new HilumError('permanent', [
      { code: 'guide-rows-invalid', severity: 'error', location: file, message },
    ]);
  }
}

function keep(rows: GuideRows, { mappings }: Options): void {
  writeFileSync(path.join(mappings, rowsFile), `${toLines(rows)}\n`);
}

/** A line an identifier, so that a change shows as one. */
function toLines(rows: GuideRows): string {
  const sheets = Object.entries(rows).map(([sheet, identifiers]) => {
    const lines = Object.entries(identifiers).map(
      ([identifier, hashes]) => `    ${JSON.stringify(identifier)}: ${JSON.stringify(hashes)}`,
    );
    return `  ${JSON.stringify(sheet)}: ${lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`}`;
  });
  return `{\n${sheets.join(',\n')}\n}`;
}

function print({ counts, differences }: GuideComparison, { json }: Options): void {
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ counts, differences }, undefined, 2)}\n`);
    return;
  }
  for (const { kind, location, identifier, message, rule } of differences) {
    const by = rule === undefined ? '' : ` (${rule})`;
    process.stdout.write(`${location}: ${kind} ${identifier}: ${message}${by}\n`);
  }
  for (const [kind, count] of Object.entries(counts)) {
    process.stdout.write(
      `${kind}: ${count.sheets} sheets, ${count.followed} followed; ${count.rows} rows with a target, ` +
        `${count.mapped} mapped, ${count.declined} declined, ${count.unmapped} not; ${count.conditions} conditions, ${count.parsed} read, ` +
        `${count.narrative} in words alone\n`,
    );
  }
}
