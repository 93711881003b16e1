import type { Issue } from '../issue.ts';
import { flattenFiles } from './compile.ts';
import type { ForEachDocument, MapDocument, MappingFile, ResourceDocument } from './document.ts';
import { toSha1 } from './sha1.ts';

/** One rule or resource of a map as it is in effect, and the layer that it comes from. */
interface EffectiveRule {
  readonly id: string;
  /** `base` where no layer has changed it. */
  readonly layer: string;
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
  const origins = new Map<string, Map<string, { readonly text: string; readonly layer: string }>>();
  let last: readonly { readonly path: string; readonly document: MapDocument }[] = [];
  for (const stage of stages) {
    const found: Issue[] = [];
    last = flattenFiles(files, stage, found);
    if (stage.length === layers.length) issues.push(...found);
    for (const { document } of last) {
      const known = origins.get(document.id) ?? new Map<string, { text: string; layer: string }>();
      origins.set(document.id, known);
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
    rules: toRules(document).map((rule) => ({
      id: rule.id,
      layer: origins.get(document.id)?.get(rule.id)?.layer ?? 'base',
      rule,
    })),
    hash: toHash(document),
  }));
}

/** The rules of a map; of a message map its resources, with the groups around them left out. */
function toRules(document: MapDocument): readonly { readonly id: string }[] {
  if (document.kind === 'MessageMap') return toResources(document.resources);
  return document.kind === 'V2MessageMap' ? document.segments : document.rules;
}

const toResources = (
  resources: readonly (ResourceDocument | ForEachDocument)[],
): ResourceDocument[] =>
  resources.flatMap((one) => ('forEach' in one ? toResources(one.resources) : [one]));

/** 16 hex digits of JSON. `override` says how a rule came to be, not what it does. */
export const toHash = (document: object): string =>
  [
    ...toSha1(
      JSON.stringify(document, (key, value: unknown) => (key === 'override' ? undefined : value)),
    ).slice(0, 8),
  ]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
