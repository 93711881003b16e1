import type { ContextQuestion } from '../process/messages.ts';
import type { NodeRed } from '../node-red.ts';

/**
 * What a worker's Node-RED knows of a context: all its values, one of them, or the names of its keys, as the editor's
 * sidebar wants them; with `delete` the value is gone afterwards. Undefined where this worker has no such context.
 */
export async function answerContext(
  { runtime, nodes }: NodeRed,
  question: ContextQuestion,
  own: { readonly group: string; readonly ids: ReadonlySet<string> },
): Promise<unknown> {
  const { action, scope, id, group, key, keysOnly = false } = question;
  const isOwn = id === undefined ? group === own.group : own.ids.has(id);
  if (!isOwn || (scope === 'node' && nodes.getNode(id ?? '') === null)) return undefined;
  const asked = { scope, store, ...(id === undefined ? {} : { id }) };
  if (action === 'delete') {
    if (key !== undefined) await runtime.context.delete({ ...asked, key });
    return {};
  }
  const found = await runtime.context.getValue({
    ...asked,
    ...(key === undefined ? {} : { key }),
    ...(keysOnly ? { keysOnly } : {}),
  });
  return key === undefined || keysOnly ? (found[store] ?? {}) : found;
}

/** The one store that there is. */
const store = 'default';
