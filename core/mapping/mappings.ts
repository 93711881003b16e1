import { HilumError } from '../errors.ts';
import { type Issue, isValid } from '../issue.ts';
import { findLayer } from './compile.ts';
import type { MappingFile } from './document.ts';
import { toHash } from './effective.ts';
import { compileFhirMaps, type FhirMapper } from './fhir-map.ts';
import { type Mapper, compileMappings } from './mapper.ts';
import { parseFiles } from './parse-files.ts';
import { compileReverse, type ReverseMapper } from './reverse.ts';
import type { Table } from './tables.ts';
import {
  findFromFhirVersions,
  findVersions,
  type FromFhirVersions,
  type MessageMapVersion,
} from './version.ts';

/**
 * All maps and tables of one state of the files, for whatever layers are asked for, each compiled once. Every call
 * throws HilumError (permanent) with all that is wrong with the files, or with a layer that is none.
 */
export interface Mappings {
  mapper(layers: readonly string[]): Mapper;
  /** The way from FHIR to HL7 v2. */
  reverse(layers: readonly string[]): ReverseMapper;
  /** From FHIR to FHIR; undefined: there is no map of this id. */
  fhir(id: string, layers: readonly string[]): FhirMapper | undefined;
  /** Undefined: there is no table of this id. */
  table(id: string, layers: readonly string[]): Table | undefined;
  /** The message maps with their versions. */
  versions(layers: readonly string[]): readonly MessageMapVersion[];
  /**
   * The version of the map for a message type (`ORU^R01`, `ACK`); without one, a hash over the versions of all maps.
   * Undefined: there is no map for the type.
   */
  version(messageType: string | undefined, layers: readonly string[]): string | undefined;
  /** Of the maps from FHIR, to FHIR and to HL7 v2. */
  fromFhir(layers: readonly string[]): FromFhirVersions;
  /** What is there to choose from, in its order. */
  readonly names: { readonly layers: readonly string[]; readonly tables: readonly string[] };
}

/** The mappings of these files, which are read when something is first asked for. */
export function buildMappings(read: () => readonly MappingFile[]): Mappings {
  const files = once(read);
  const compile = perLayers((layers) => {
    const compiled = compileMappings(files(), { layers });
    if (!compiled.ok) throw new HilumError('permanent', compiled.issues);
    return compiled;
  });
  const reverse = perLayers((layers) => {
    const compiled = compileReverse(files(), { layers });
    if (!compiled.ok) throw new HilumError('permanent', compiled.issues);
    return compiled.mapper;
  });
  const fhir = perLayers((layers) => {
    const compiled = compileFhirMaps(files(), { layers });
    if (!compiled.ok) throw new HilumError('permanent', compiled.issues);
    return compiled.maps;
  });
  const fromFhir = perLayers((layers) => {
    const issues: Issue[] = [];
    const found = findFromFhirVersions(files(), layers, issues);
    if (!isValid(issues)) throw new HilumError('permanent', issues);
    return found;
  });
  const versions = perLayers((layers) => {
    const issues: Issue[] = [];
    const found = findVersions(files(), layers, issues);
    if (!isValid(issues)) throw new HilumError('permanent', issues);
    return found;
  });
  const names = once(() => {
    const issues: Issue[] = [];
    const found = findNames(files(), issues);
    if (!isValid(issues)) throw new HilumError('permanent', issues);
    return found;
  });
  return {
    mapper: (layers) => compile(layers).mapper,
    reverse,
    fhir: (id, layers) => fhir(layers).get(id),
    fromFhir,
    table: (id, layers) => compile(layers).tables.get(id),
    versions,
    version: (messageType, layers) => {
      const found = versions(layers);
      if (messageType === undefined) return toHash(found);
      const [code = ''] = messageType.split('^');
      const serves = (type: string) => found.find(({ messages }) => messages.includes(type));
      return (serves(messageType) ?? serves(code))?.version;
    },
    get names() {
      return names();
    },
  };
}

/** The layers and tables that the files hold; what is wrong with files is pushed to `issues`. */
export function findNames(files: readonly MappingFile[], issues: Issue[]): Mappings['names'] {
  const { maps, tables } = parseFiles(files, issues);
  const layers = [
    ...maps.flatMap(({ document }) => document.layer ?? []),
    ...tables.flatMap((table) => findLayer(table) ?? []),
  ];
  const ids = tables.map(({ document }) => document.id);
  return { layers: [...new Set(layers)].sort(), tables: [...new Set(ids)].sort() };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function perLayers<T>(make: (layers: readonly string[]) => T): (layers: readonly string[]) => T {
  const made = new Map<string, T>();
  return (layers) => {
    const key = JSON.stringify(layers);
    const value = made.get(key) ?? make(layers);
    made.set(key, value);
    return value;
  };
}
