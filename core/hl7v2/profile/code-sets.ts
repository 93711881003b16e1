import type { CodeSet, ElementDefinition, VersionDefinitions } from '../definitions/definitions.ts';
import { toCodesRule } from './parse-profile.ts';
import type { CodesRule, ElementRule, ProfileLayer } from './profile.ts';
import { suggest } from '../../suggest.ts';

/** Codes that a later rule may add to. */
interface ListedCodes extends CodeSet {
  readonly values: ReadonlySet<string>;
}

/** What a rule about codes comes to. */
export interface ResolvedCodes {
  readonly codes: ListedCodes;
  /** The coding system that component 3 must name. */
  readonly system: string | undefined;
}

interface CodeScope {
  readonly layer: ProfileLayer;
  /** Where names of value sets are looked up, the last layer first. */
  readonly layers: readonly ProfileLayer[];
  readonly definitions: VersionDefinitions;
  readonly element: ElementDefinition;
  readonly report: (message: string) => void;
}

/** The codes of a rule; undefined where they cannot be told, which is reported. */
export function resolveCodes(
  written: NonNullable<ElementRule['codes']>,
  scope: CodeScope,
): ResolvedCodes | undefined {
  const rule = toCodesRule(written);
  const found = collect(rule, scope, new Set());
  if (found === undefined) return undefined;
  const { values, name } = found;
  if (values.size === 0) {
    scope.report(`codes: ${name} lists no codes; name them with add`);
    return undefined;
  }
  const isClosed = (rule.closed ?? found.closed) !== 'false';
  return {
    codes: { name, isClosed, values, has: (code) => values.has(code) },
    system: rule.system ?? found.system,
  };
}

interface Collected {
  readonly values: Set<string>;
  readonly name: string;
  readonly system?: string | undefined;
  readonly closed?: string | undefined;
}

function collect(
  rule: CodesRule,
  scope: CodeScope,
  seen: ReadonlySet<string>,
): Collected | undefined {
  const origin = collectOrigin(rule, scope, seen);
  if (origin === undefined) return undefined;
  const values = new Set(origin.values);
  for (const code of rule.add ?? []) {
    if (values.has(code))
      scope.report(`codes.add: ${code} is among the codes of ${origin.name} already`);
    values.add(code);
  }
  for (const code of rule.remove ?? []) {
    if (!values.delete(code)) {
      scope.report(
        `codes.remove: ${code} is none of the codes of ${origin.name}.${suggest(code, values)}`,
      );
    }
  }
  const isChanged = rule.add !== undefined || rule.remove !== undefined;
  const name = isChanged ? `${origin.name} as profile ${scope.layer.name} has it` : origin.name;
  return { ...origin, values, name };
}

function collectOrigin(
  rule: CodesRule,
  scope: CodeScope,
  seen: ReadonlySet<string>,
): Collected | undefined {
  const { layer, definitions, element, report } = scope;
  const origins = [rule.list, rule.table, rule.set, rule.file].filter((each) => each !== undefined);
  if (origins.length > 1) {
    report('codes: expected only one of list, table, set and file');
    return undefined;
  }
  if (rule.list !== undefined) {
    return { values: new Set(rule.list), name: `the list of profile ${layer.name}` };
  }
  if (rule.file !== undefined) {
    return {
      values: readCodes(layer.codeFiles.get(rule.file) ?? ''),
      name: `the list ${rule.file}`,
    };
  }
  if (rule.set !== undefined) return collectSet(rule.set, scope, seen);
  const agreed = element.codes as ListedCodes | CodeSet | undefined;
  if (rule.table === undefined && agreed !== undefined && 'values' in agreed) {
    return { values: new Set(agreed.values), name: agreed.name };
  }
  const id = rule.table ?? element.table;
  if (id === undefined) {
    report('codes: expected a list, table, set or file: the element has no table of its own');
    return undefined;
  }
  const table = definitions.findTable(id);
  if (table === undefined) {
    report(`codes.table: HL7 ${definitions.version} has no table ${id}`);
    return undefined;
  }
  return { values: new Set(table.codes), name: `HL7 table ${id}` };
}

function collectSet(
  name: string,
  scope: CodeScope,
  seen: ReadonlySet<string>,
): Collected | undefined {
  const layer = scope.layers.findLast(({ valueSets }) => valueSets.has(name));
  const rule = layer?.valueSets.get(name);
  if (layer === undefined || rule === undefined) {
    const known = scope.layers.flatMap(({ valueSets }) => [...valueSets.keys()]);
    scope.report(`codes: there is no value set ${name} under valueSets.${suggest(name, known)}`);
    return undefined;
  }
  if (seen.has(name)) {
    scope.report(`codes: the value set ${name} is made of itself`);
    return undefined;
  }
  const found = collect(rule.rule, { ...scope, layer }, new Set([...seen, name]));
  const { system, closed } = rule.rule;
  return (
    found && {
      values: found.values,
      name: `the value set ${name}`,
      system: system ?? found.system,
      closed: closed ?? found.closed,
    }
  );
}

/** The first column of each line, leading zeros and all; a first line `code` is its heading. */
function readCodes(text: string): Set<string> {
  const cells = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .map((line) => {
      const [, quoted, plain = ''] = /^\s*(?:"((?:[^"]|"")*)"|([^,;\t]*))/.exec(line) ?? [];
      return (quoted?.replaceAll('""', '"') ?? plain).trim();
    })
    .filter((code) => code !== '');
  if (/^code$/i.test(cells[0] ?? '')) cells.shift();
  return new Set(cells);
}
