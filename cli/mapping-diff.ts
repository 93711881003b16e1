import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { HilumError, toLine } from '../core/errors.ts';
import { parseMessage } from '../core/hl7v2/parse.ts';
import { type Issue, isValid } from '../core/issue.ts';
import { type OutputDifference, compareOutput } from '../core/mapping/diff/output.ts';
import {
  compareMappings,
  type MappingDifference,
  type MappingSide,
} from '../core/mapping/diff/rules.ts';
import {
  compileMappings,
  type Mapper,
  type MappingResult,
  toNothing,
} from '../core/mapping/mapper.ts';
import { collect, findMappings } from './find-mappings.ts';
import { forEachFile } from './input.ts';
import { readSide } from './mapping-side.ts';
import { parseZone } from './zone-option.ts';

interface Options {
  readonly messages?: string;
  readonly zone?: string;
  readonly json?: boolean;
  readonly mappings: string;
  readonly layer: readonly string[];
}

interface MessageDifferences {
  readonly file: string;
  /** Which message of the file, 1-based. */
  readonly message: number;
  readonly differences: readonly OutputDifference[];
}

/**
 * `hilum mapping diff A B [--messages FILE|FOLDER] [--json]`: which rules and codes differ between two states of the
 * mappings, and what that changes of given messages. Exits 0 where nothing differs, 1 where something does, 2 where
 * either cannot be read.
 */
export function registerMappingDiff(mapping: Command): void {
  mapping
    .command('diff')
    .description(
      'Show which rules differ between two states of the mappings, and what that changes.',
    )
    .argument('<before>', 'base, a layer, shipped, a folder, or a git revision')
    .argument('<after>', 'the same')
    .option('--messages <path>', 'messages, a file or a folder: show what they become otherwise')
    .option(
      '--zone <zone>',
      'the zone of times that state none: +01:00 or Europe/Berlin',
      parseZone,
    )
    .option('--layer <name>', 'a layer to apply on both sides; may be repeated', collect, [])
    .option('--json', 'as JSON')
    .option('--mappings <folder>', 'the mapping files', findMappings(import.meta.dirname))
    .addHelpText(
      'after',
      `
base is the mappings folder without layers, a layer that folder with it (acme, or several: us+acme), shipped what
comes with Hilum. Anything else is a folder of mappings, or a revision of the git repository around the folder:
  hilum mapping diff base acme
  hilum mapping diff HEAD~1 base --messages messages/
  hilum mapping diff shipped base
Exits 0 where nothing differs, 1 where something does, 2 where either cannot be read.`,
    )
    .action(async (before: string, after: string, options: Options) => {
      try {
        await diff(before, after, options);
      } catch (error) {
        if (!(error instanceof HilumError)) throw error;
        for (const issue of error.issues) process.stderr.write(`${toLine(issue)}\n`);
        process.exitCode = 2;
      }
    });
}

async function diff(before: string, after: string, options: Options): Promise<void> {
  const { mappings, layer: layers, messages, json = false } = options;
  const sides = [
    await readSide(before, { mappings, layers }),
    await readSide(after, { mappings, layers }),
  ] as const;
  const issues: Issue[] = [];
  const rules = compareMappings(...sides, issues);
  if (!isValid(issues)) throw new HilumError('permanent', issues);
  const compared = messages === undefined ? [] : await compareMessages(messages, sides, options);
  const changed = compared.filter(({ differences }) => differences.length > 0);
  if (json) process.stdout.write(`${JSON.stringify({ rules, messages: changed }, undefined, 2)}\n`);
  else {
    for (const { id, ...values } of rules) process.stdout.write(toChange(id, values));
    if (rules.length === 0) process.stdout.write('No rule or code differs.\n');
    if (messages !== undefined) printMessages(changed, compared.length);
  }
  if (rules.length > 0 || changed.length > 0) process.exitCode ??= 1;
}

async function compareMessages(
  where: string,
  [before, after]: readonly [MappingSide, MappingSide],
  { zone }: Options,
): Promise<readonly MessageDifferences[]> {
  const [old, now] = [compile(before), compile(after)];
  const compared: MessageDifferences[] = [];
  await forEachFile(listFiles(where), ({ file, messages }) => {
    for (const { bytes, number } of messages) {
      const differences = compareOutput(map(old, bytes, zone), map(now, bytes, zone));
      compared.push({ file, message: number, differences });
    }
    return 0;
  });
  return compared;
}

function compile({ files, layers }: MappingSide): Mapper {
  const compiled = compileMappings(files, { layers });
  if (!compiled.ok) throw new HilumError('permanent', compiled.issues);
  return compiled.mapper;
}

function map(mapper: Mapper, bytes: Uint8Array, zone: string | undefined): MappingResult {
  const parsed = parseMessage(bytes);
  if (parsed.ok) return mapper.map(parsed.message, zone === undefined ? {} : { zone });
  return toNothing(parsed.issues);
}

/** All files below a folder, in their order; of a file itself. */
function listFiles(where: string): readonly string[] {
  if (where === '-' || !statSync(where, { throwIfNoEntry: false })?.isDirectory()) return [where];
  return readdirSync(where, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function printMessages(changed: readonly MessageDifferences[], total: number): void {
  for (const { file, message, differences } of changed) {
    process.stdout.write(`${file}: message ${message}\n`);
    for (const { element, ...values } of differences) {
      process.stdout.write(`  ${toChange(element, values)}`);
    }
  }
  process.stdout.write(`${changed.length} of ${total} messages become something else\n`);
}

/** `+` what came, `-` what went, `~` what became something else. */
function toChange(
  name: string,
  { before, after }: Pick<MappingDifference, 'before' | 'after'>,
): string {
  if (before === undefined) return `+ ${name}${after === true ? '' : ` ${toText(after)}`}\n`;
  if (after === undefined) return `- ${name}${before === true ? '' : ` ${toText(before)}`}\n`;
  return `~ ${name} ${toText(before)} -> ${toText(after)}\n`;
}

const toText = (value: unknown): string =>
  typeof value === 'string' && value.includes(' ') ? value : JSON.stringify(value);
