import type { Command } from 'commander';
import { registerMappingImport } from './mapping-import.ts';

/** `hilum mapping …`: what is done with the mapping files themselves. */
export function registerMapping(program: Command): void {
  const mapping = program
    .command('mapping')
    .description('Look at the mapping files and compare them with the guide.');
  registerMappingImport(mapping);
}
