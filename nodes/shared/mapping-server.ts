import type { NodeAPI } from 'node-red';
import { findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import type { Mappings } from '../../core/mapping/mappings.ts';
import { toError } from './node.ts';
import { openShippedMappings } from './mappings.ts';
import type { TryRequest } from './mapping-offer.ts';
import { describeMappings, tryMapping } from './mapping-trial.ts';

/** What the editor's process hands in beside Node-RED's own settings. */
interface EditorSettings {
  /** The mappings as they are now in the folder that people edit. */
  readonly hilumMappings?: () => Mappings;
}

const served = new WeakSet<object>();

/**
 * Serves the editor's dialogs: `GET hilum/mappings?layers=us,acme` what there is to choose from, and
 * `POST hilum/mappings/try` what a pasted message becomes. Once in a process, whichever node asks first; nothing is kept
 * of a message.
 */
export function serveMappings(RED: NodeAPI): void {
  const { httpAdmin, auth } = RED;
  // A worker has no admin server.
  if (
    typeof (httpAdmin as { get?: unknown } | undefined)?.get !== 'function' ||
    served.has(httpAdmin)
  )
    return;
  served.add(httpAdmin);
  const settings = RED.settings as EditorSettings;
  const open = (): Mappings => settings.hilumMappings?.() ?? openShippedMappings();
  httpAdmin.get('/hilum/mappings', auth.needsPermission('flows.read'), (request, response) => {
    const { layers, events } = request.query;
    const asked = typeof layers === 'string' ? layers : '';
    answer(response, () =>
      describeMappings(open(), { layers: asked, wantsEvents: events === 'true' }),
    );
  });
  httpAdmin.post('/hilum/mappings/try', auth.needsPermission('flows.read'), (request, response) => {
    answer(response, () => tryMapping(open(), request.body as TryRequest));
  });
}

interface JsonResponse {
  status(code: number): this;
  json(body: object): unknown;
}

/** The action's value as JSON; its issues with status 422 where it throws some. */
function answer(response: JsonResponse, action: () => object): void {
  try {
    response.json(action());
  } catch (thrown) {
    const issues: readonly Issue[] | undefined = findFailure(thrown)?.issues;
    if (issues === undefined) response.status(500).json({ issues: [toIssue(thrown)] });
    else response.status(422).json({ issues });
  }
}

const toIssue = (thrown: unknown): Issue => ({
  code: 'internal-error',
  severity: 'error',
  message: toError(thrown).message,
});
