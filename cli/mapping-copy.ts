import { cpSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { shippedMappings } from '../runtime/settings.ts';

/**
 * `hilum mapping copy FOLDER`: copies the mapping files that come with Hilum into a folder that is not there yet or
 * is empty, so that a site can change them. Exits 2 where the folder holds something.
 */
export function registerMappingCopy(mapping: Command): void {
  mapping
    .command('copy')
    .description('Copy the mapping files that come with Hilum into a folder of your own.')
    .argument('<folder>', 'a folder that is empty or not there yet')
    .action((folder: string) => {
      if (existsSync(folder) && readdirSync(folder).length > 0) {
        process.stderr.write(`Expected an empty folder, found files in ${folder}. Name another.\n`);
        process.exitCode = 2;
        return;
      }
      cpSync(shippedMappings, folder, { recursive: true });
      const own = path.resolve(folder);
      process.stdout.write(
        `Copied to ${own}. Set HILUM_MAPPINGS=${own}, put your changes below layers/ there, and deploy.\n`,
      );
    });
}
