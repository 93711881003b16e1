import type { Issue } from '../issue.ts';
import { listResources } from './blocks.ts';
import { flattenFiles } from './compile.ts';
import type { MapDocument, MappingFile } from './document.ts';
import { toSha1 } from './sha1.ts';

/** One rule or resource of a map as it is in effect, and the layer that it comes from. */
interface EffectiveRule {
  readonly id: string;
  /** `base` where no layer has changed it. */
  readonly layer: string;
  /** Of a resource: the blocks that it was included with, outermost first. */
  readonly blocks?: readonly string[];
  readonly rule: object;
}

/** A map with its layers over it. */
export interface EffectiveMap {
  readonly id: string;
  readonly kind: MapDocument['kind'];
  readonly path: string;
  readonly rules: readonly EffectiveRule[];
  /** Of what is in effect: equal for equal maps, whichever layers they come from. */
  readonly hash: string;
}

/** All maps with the layers over them, in the order of `layers`; problems are pushed to `issues`. */
export function findEffectiveMaps(
  files: readonly MappingFile[],
  layers: readonly string[],
  issues: Issue[],
): readonly EffectiveMap[] {
  // Which layer a rule is from shows when layers are applied one after another.
  const stages = [[], ...layers.map((_, index) => layers.slice(0, index + 1))];
  const sources = new Map<string, Map<string, { readonly text: string; readonly layer: string }>>();
  let last: readonly { readonly path: string; readonly document: MapDocument }[] = [];
  for (const stage of stages) {
    const found: Issue[] = [];
    last = flattenFiles(files, stage, found);
    if (stage.length === layers.length) issues.push(...found);
    for (const { document } of last) {
      const known = sources.get(document.id) ?? new Map<string, { text: string; layer: string }>();
      sources.set(document.id, known);
      for (const rule of toRules(document)) {
        const text = JSON.stringify(rule);
        if (known.get(rule.id)?.text !== text) {
          known.set(rule.id, { text, layer: stage.at(-1) ?? 'base' });
        }
      }
    }
  }
  return last.map(({ path, document }) => ({
    id: document.id,
    kind: document.kind,
    path,
    rules: toRules(document).map(({ blocks, ...rule }) => ({
      id: rule.id,
      layer: sources.get(document.id)?.get(rule.id)?.layer ?? 'base',
      ...(blocks === undefined ? {} : { blocks }),
      rule,
    })),
    hash: toHash(document),
  }));
}

/** The rules of a map; of a message map its resources, with the groups around them left out. */
function toRules(
  document: MapDocument,
): readonly { readonly id: string; readonly blocks?: readonly string[] }[] {
  if ('resources' in document) return listResources(document.resources);
  return document.kind === 'V2MessageMap' ? document.segments : document.rules;
}

/** What says how a rule came to be, not what it does. */
const origins: ReadonlySet<string> = new Set(['override', 'blocks']);

/** 16 hex digits of JSON, without what says where something came from. */
export const toHash = (document: object): string =>
  [
    ...toSha1(
      JSON.stringify(document, (key, value: unknown) => (origins.has(key) ? undefined : value)),
    ).slice(0, 8),
  ]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
