import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildError } from '../../core/errors.ts';
import { buildDefinitions } from '../../core/hl7v2/definitions/build-definitions.ts';
import type { Definitions } from '../../core/hl7v2/definitions/definitions.ts';

let opened: Definitions | undefined;

/**
 * The definitions of HL7 v2 that are shipped with Hilum (`dist/definitions`, made by `npm run build`), one
 * for the whole process. Reads nothing before a version is asked for; asking for it then throws HilumError
 * `definitions-unreadable` (permanent) where its file is missing.
 */
export function openDefinitions(): Definitions {
  opened ??= openDefinitionFiles(findFolder(import.meta.dirname));
  return opened;
}

/** The definitions in a folder of `<version>.json`, each read when it is first asked for. */
export function openDefinitionFiles(folder: string): Definitions {
  return buildDefinitions((version) => {
    try {
      return readFileSync(join(folder, `${version}.json`), 'utf8');
    } catch (error) {
      throw buildError(
        'permanent',
        'definitions-unreadable',
        `The definitions of HL7 ${version} cannot be read from ${folder}; run npm run build.`,
        error,
      );
    }
  });
}

/** The package's folder `dist/definitions`, from wherever below the package this file was built to. */
function findFolder(from: string): string {
  const candidate = join(from, 'dist', 'definitions');
  const parent = dirname(from);
  return existsSync(candidate) || parent === from ? candidate : findFolder(parent);
}
