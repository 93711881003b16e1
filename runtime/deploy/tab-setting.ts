import type { FlowNode } from '../../core/interface.ts';

/** What a tab's environment variables say under this name; undefined where it stands there empty or not at all. */
export function findTabSetting(tab: FlowNode, name: string): string | undefined {
  const env = tab['env'];
  if (!Array.isArray(env)) return undefined;
  const entry = (env as { name?: unknown; value?: unknown }[]).find((each) => each.name === name);
  if (typeof entry?.value === 'number') return String(entry.value);
  return typeof entry?.value === 'string' && entry.value !== '' ? entry.value : undefined;
}
