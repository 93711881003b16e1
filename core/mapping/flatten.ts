import { expandBlocks } from './blocks.ts';
import { KnownLabels } from './check-labels.ts';
import type { MapDocument } from './document.ts';
import { applyLayer, isLayer } from './layers.ts';
import { suggestMeant } from '../suggest.ts';
import { type Located, toPlace } from './parse-files.ts';

/** Reports a problem at a file, or at a thing in it. */
type Report = (location: string, message: string) => void;

/** The maps with the rules of the active layers over them, in the order of `layers`. */
export function flattenMaps(
  documents: readonly Located<MapDocument>[],
  layers: readonly string[],
  report: Report,
): Located<MapDocument>[] {
  const bases = new Map<string, Located<MapDocument>>();
  for (const located of documents) {
    const { path, document } = located;
    if (isLayer(document) || isElsewhere(document, layers)) continue;
    const other = bases.get(document.id);
    if (other === undefined) bases.set(document.id, located);
    else report(path, `There is another map with the id ${document.id}, in ${other.path}`);
  }
  for (const { path, document } of documents) {
    if (document.extends !== undefined && !bases.has(document.extends)) {
      const hint = suggestMeant(document.extends, bases.keys());
      report(path, `extends: there is no map ${document.extends}${hint}`);
    }
  }
  const overs = layers.flatMap((layer) =>
    documents.filter(({ document }) => document.layer === layer && isLayer(document)),
  );
  const apply = (over: Located<MapDocument>): void => {
    const base = bases.get(over.document.extends ?? '');
    if (base !== undefined) bases.set(base.document.id, merge(base, over, report));
  };
  const labels = new KnownLabels();
  // A map has a block as it is with the layers over it, and may then change what it has of it.
  const [ofBlocks, others] = [true, false].map((isBlock) =>
    overs.filter(({ document }) => (document.kind === 'MessageBlock') === isBlock),
  );
  if (ofBlocks?.length) {
    for (const base of bases.values()) labels.add(expandBlocks(base, bases, ignore).document);
  }
  ofBlocks?.forEach(apply);
  for (const [id, base] of bases) bases.set(id, expandBlocks(base, bases, report));
  for (const { document } of bases.values()) labels.add(document);
  for (const over of others ?? []) apply(expandBlocks(over, bases, report));
  for (const { path, document } of bases.values()) {
    labels.add(document);
    // What has no id may stand in any of the files.
    const changed = overs.filter((over) => over.document.extends === document.id);
    const all = [...changed.map((over) => over.path), path].join(', ');
    labels.check(document, (message, rule) =>
      report(rule === undefined ? all : toPlace(path, rule), message),
    );
  }
  return [...bases.values()];
}

/** What is wrong with blocks is told when maps are expanded with what layers make of them. */
const ignore: Report = () => undefined;

/** A map with a layer and nothing that it extends is there with its layer alone. */
const isElsewhere = ({ layer }: MapDocument, layers: readonly string[]): boolean =>
  layer !== undefined && !layers.includes(layer);

function merge(
  base: Located<MapDocument>,
  over: Located<MapDocument>,
  report: Report,
): Located<MapDocument> {
  const document = applyLayer(base.document, over.document, (rule, message) =>
    report(toPlace(over.path, rule), message),
  );
  if (document !== undefined) return { ...base, document };
  report(
    over.path,
    `extends: ${base.document.id} is of another kind; expected kind: ${base.document.kind}`,
  );
  return base;
}
