import { contributors } from '../../nodes/definitions.ts';

/** What stands in a flow without handling messages, and what the editor keeps there. */
const passive =
  /^(?:tab|group|subflow|subflow:.+|comment|global-config|tls-config|http proxy|junction)$/;

/**
 * Node-RED's own nodes whose settlement is known: each stands in a shape of the contract test. Those that open
 * sockets or files or run programs are not offered at all.
 */
const core: ReadonlySet<string> = new Set([
  'inject',
  'debug',
  'complete',
  'catch',
  'status',
  'link in',
  'link out',
  'link call',
  'function',
  'switch',
  'change',
  'range',
  'template',
  'delay',
  'trigger',
  'rbe',
  'http request',
  'split',
  'join',
  'sort',
  'batch',
  'csv',
  'html',
  'json',
  'xml',
  'yaml',
]);

/** Whether a worker runs the node: it is known when a message has gone through it, or the site says so. */
export function isAllowed(type: string, allowed: readonly string[]): boolean {
  return (
    passive.test(type) ||
    core.has(type) ||
    type === 'reject' ||
    Object.hasOwn(contributors, type) ||
    allowed.includes(type)
  );
}
