import type { Command } from 'commander';
import { stopWithReader } from './input.ts';
import { registerMappingCopy } from './mapping-copy.ts';
import { registerMappingImport } from './mapping-import.ts';
import { registerMappingShow } from './mapping-show.ts';

/** `hilum mapping …`: what is done with the mapping files themselves. */
export function registerMapping(program: Command): void {
  process.stdout.once('error', stopWithReader);
  const mapping = program
    .command('mapping')
    .description('Look at the mapping files, copy them, and compare them with the guide.');
  registerMappingShow(mapping);
  registerMappingCopy(mapping);
  registerMappingImport(mapping);
}
