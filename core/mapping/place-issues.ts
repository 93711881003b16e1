import { LineCounter, isMap, isScalar, parseDocument, visit } from 'yaml';
import type { Issue } from '../issue.ts';
import type { MappingFile } from './document.ts';

/**
 * Puts each issue of a rule, `file:rule`, where that rule was written: `file:line:rule`, of a rule of a layer in the file of
 * the layer, since compiling knows a map only with its layers over it. What stands in none of these files stays as it is.
 */
export function placeIssues(
  issues: Issue[],
  files: readonly MappingFile[],
  layers: readonly string[],
): void {
  const open = new Map<string, Written>();
  const read = (file: MappingFile): Written => {
    const known = open.get(file.path) ?? readWritten(file);
    open.set(file.path, known);
    return known;
  };
  issues.forEach((issue, at) => {
    const { code, location = '' } = issue;
    const [, path, rule] = /^(.+\.map\.(?:ya?ml|json)):([^:]+)$/.exec(location) ?? [];
    const file = files.find((one) => one.path === path);
    if (code !== 'mapping-invalid' || file === undefined || rule === undefined) return;
    const own = read(file);
    const overs = own.layer === undefined || own.base === undefined ? findOvers(own, files) : [];
    const found = [file, ...overs].findLast((one) => read(one).lines.has(rule));
    const line = found && read(found).lines.get(rule);
    if (found !== undefined && line !== undefined) {
      issues[at] = { ...issue, location: `${found.path}:${line}:${rule}` };
    }
  });

  /** The files of the layers over a map, in the order in which they apply. */
  function findOvers({ id }: Written, of: readonly MappingFile[]): readonly MappingFile[] {
    const maps = of.filter(({ path }) => /\.map\.(ya?ml|json)$/.test(path));
    return layers.flatMap((layer) =>
      maps.filter((file) => {
        const over = read(file);
        return over.layer === layer && over.base === id;
      }),
    );
  }
}

/** What a file says of itself, and the line, 1-based, of each thing in it that has an id and is not disabled. */
interface Written {
  readonly id: unknown;
  readonly base: unknown;
  readonly layer: unknown;
  readonly lines: ReadonlyMap<string, number>;
}

function readWritten({ text }: MappingFile): Written {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const lines = new Map<string, number>();
  visit(document.contents, {
    Map(_, item) {
      const id = item.get('id');
      if (typeof id !== 'string' || item === document.contents) return;
      if (!lines.has(id)) lines.set(id, counter.linePos(item.range?.[0] ?? 0).line);
    },
  });
  const head = isMap(document.contents) ? document.contents : undefined;
  const get = (key: string): unknown => {
    const node: unknown = head?.get(key, true);
    return isScalar(node) ? node.value : undefined;
  };
  return { id: get('id'), base: get('extends'), layer: get('layer'), lines };
}
