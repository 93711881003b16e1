import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CompactTexts, CompactVersion } from '../../core/hl7v2/definitions/compact.ts';
import { versions } from '../../core/hl7v2/definitions/versions.ts';
import type { Draft, DraftElement } from './draft.ts';
import { toElementLine } from './element-line.ts';
import { buildDrafts } from './merge.ts';

const packageDirectory = path.resolve(import.meta.dirname, '../..');

interface BuiltDefinitions {
  readonly versions: number;
  readonly milliseconds: number;
}

/** Writes what HL7 v2 says, `<output>/<version>.json` for each version. */
export async function writeDefinitions(
  output = path.join(packageDirectory, 'dist', 'definitions'),
): Promise<BuiltDefinitions> {
  const startedAt = performance.now();
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const drafts = buildDrafts();
  await Promise.all(
    drafts.map((draft) =>
      writeFile(path.join(output, `${draft.version}.json`), JSON.stringify(toCompact(draft))),
    ),
  );
  return { versions: versions.length, milliseconds: Math.round(performance.now() - startedAt) };
}

function toCompact(draft: Draft): CompactVersion {
  return {
    version: draft.version,
    structures: toTexts(draft.structures, (text) => text),
    events: toEventTexts(draft.events),
    segments: toTexts(draft.segments, toLines),
    datatypes: toTexts(draft.datatypes, toLines),
    tables: toTexts(draft.tables, ({ kind, name, codes }) =>
      [`${kind} ${name}`, ...[...codes].sort()].join('\n'),
    ),
  };
}

/** In the order of their names, so that a build is always the same. */
function toTexts<T>(things: ReadonlyMap<string, T>, toText: (thing: T) => string): CompactTexts {
  const names = [...things.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, toText(things.get(name) as T)]));
}

const toLines = (elements: readonly DraftElement[]): string =>
  elements.map(toElementLine).join('\n');

function toEventTexts(events: ReadonlyMap<string, string>): CompactTexts {
  const types = new Map<string, string[]>();
  for (const name of [...events.keys()].sort()) {
    const [type = '', event = ''] = name.split('_');
    const structure = events.get(name);
    const words = types.get(type) ?? [];
    words.push(structure === name ? event : `${event}=${structure ?? ''}`);
    types.set(type, words);
  }
  return toTexts(types, (words) => words.join(' '));
}
