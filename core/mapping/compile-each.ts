import { type Issue, isValid } from '../issue.ts';
import { openFiles } from './compile.ts';
import type { MapDocument, MappingFile } from './document.ts';
import type { MapContext } from './map-context.ts';
import { placeIssues } from './place-issues.ts';

export type CompileEachResult<Mapper> =
  | { readonly ok: true; readonly maps: ReadonlyMap<string, Mapper> }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Compiles all maps of a kind, by id, or gives everything that is wrong with them at once. */
export function compileEach<Kind extends MapDocument['kind'], Mapper>(
  kind: Kind,
  files: readonly MappingFile[],
  of: {
    readonly layers?: readonly string[] | undefined;
    readonly compile: (
      document: Extract<MapDocument, { kind: Kind }>,
      context: MapContext,
    ) => Mapper;
  },
): CompileEachResult<Mapper> {
  const { layers = [], compile } = of;
  const issues: Issue[] = [];
  const { bases, tables } = openFiles(files, layers, issues);
  const maps = new Map<string, Mapper>();
  for (const { path, document } of bases) {
    if (!isOf(kind, document)) continue;
    maps.set(document.id, compile(document, { path, tables, issues }));
  }
  placeIssues(issues, files, layers);
  return isValid(issues) ? { ok: true, maps } : { ok: false, issues };
}

function isOf<Kind extends MapDocument['kind']>(
  kind: Kind,
  document: MapDocument,
): document is Extract<MapDocument, { kind: Kind }> {
  return document.kind === kind;
}
