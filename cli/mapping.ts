import type { Command } from 'commander';
import { stopWithReader } from './input.ts';
import { registerMappingCopy } from './mapping-copy.ts';
import { registerMappingDiff } from './mapping-diff.ts';
import { registerMappingImport } from './mapping-import.ts';
import { registerMappingShow } from './mapping-show.ts';
import { registerMappingTest } from './mapping-test.ts';
import { registerMappingUnmapped } from './mapping-unmapped.ts';

/** `hilum mapping …`: what is done with the mapping files themselves. */
export function registerMapping(program: Command): void {
  process.stdout.once('error', stopWithReader);
  const mapping = program
    .command('mapping')
    .description(
      'Look at the mapping files, copy and test them, compare them with each other and the guide, and see what waits for a code.',
    );
  registerMappingShow(mapping);
  registerMappingCopy(mapping);
  registerMappingTest(mapping);
  registerMappingDiff(mapping);
  registerMappingImport(mapping);
  registerMappingUnmapped(mapping);
}
