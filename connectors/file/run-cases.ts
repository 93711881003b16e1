import path from 'node:path';
import type { MappingCase } from '../../core/mapping/cases/document.ts';
import type { CaseResult } from '../../core/mapping/cases/result.ts';
import { runCase } from '../../core/mapping/cases/run.ts';
import { runFhirCase } from '../../core/mapping/cases/run-fhir.ts';
import { readGoldenSync } from './case-files.ts';
import { openFhirValidator } from './fhir-schema.ts';
import { findFhirMapper, openMapper, openReverseMapper } from './mapping-files.ts';

/** Where the golden file of a case is; undefined where it names none. */
export function findGolden(directory: string, { file, golden }: MappingCase): string | undefined {
  return golden === undefined ? undefined : path.join(directory, path.dirname(file), golden);
}

/**
 * Runs a case of a mappings folder with the maps and golden files there. Rejects with HilumError (permanent) where
 * those cannot be read.
 */
export async function runCaseIn(directory: string, one: MappingCase): Promise<CaseResult> {
  const golden = findGolden(directory, one);
  // Loaded where a case asks for it: that takes tenths of a second.
  const { evaluateFhirPath } =
    one.assert === undefined
      ? { evaluateFhirPath: undefined }
      : await import('../../core/fhir/fhirpath.ts');
  const tools = {
    validate: openFhirValidator(),
    ...(evaluateFhirPath === undefined ? {} : { evaluate: evaluateFhirPath }),
    ...(golden === undefined ? {} : { golden: readGoldenSync(golden) }),
  };
  return one.map === undefined
    ? runCase(one, {
        ...tools,
        mapper: openMapper(directory, one.layers),
        reverse: openReverseMapper(directory, one.layers),
      })
    : runFhirCase(one, { ...tools, mapper: findFhirMapper(directory, one.map, one.layers) });
}
