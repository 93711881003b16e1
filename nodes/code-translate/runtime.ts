import type { Node, NodeAPI } from 'node-red';
import { HilumError } from '../../core/errors.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { requireFields } from '../shared/contribution.ts';
import { requireChoice } from '../shared/mapping-choice.ts';
import { serveMappings } from '../shared/mapping-server.ts';
import { findMappings } from '../shared/mappings.ts';
import { attempt, type NodeConfig } from '../shared/node.ts';
import { PacedStatus, showFailure } from '../shared/status.ts';
import { fields, findPathProblem, type, type CodeTranslateConfig } from './definition.ts';
import { translateMessage, type Translation } from './translate.ts';

/** `code translate`: the codes at one place of the message by a table. */
export default function register(RED: NodeAPI): void {
  serveMappings(RED);
  RED.nodes.registerType(
    type,
    function (this: Node, config: NodeConfig<CodeTranslateConfig>): void {
      RED.nodes.createNode(this, config);
      const status = new PacedStatus(this);
      // At once, so that a missing table shows before the first message fails for it.
      const prepared = attempt(() => prepare(RED, config));
      if (!prepared.ok) {
        showFailure(status, prepared.error);
        // A worker that was to take over with it does not: every message would fail.
        this.error(prepared.error);
      }
      this.on('input', (message: FlowMessage, send, done) => {
        const translated = attempt(() => {
          if (!prepared.ok) throw prepared.error;
          return translateMessage(RED, message, prepared.value);
        });
        if (!translated.ok) {
          showFailure(status, translated.error);
          done(translated.error);
          return;
        }
        const { count, issues } = translated.value;
        message.issues = [...(message.issues ?? []), ...issues];
        const text = (): string => RED._('code-translate.status.translated', { count });
        status.show({ fill: issues.length === 0 ? 'green' : 'yellow', shape: 'dot', text });
        send(message);
        done();
      });
    },
  );
}

/** Throws a HilumError where the configuration is faulty, or the table is not there. */
function prepare(RED: NodeAPI, config: NodeConfig<CodeTranslateConfig>): Translation {
  const {
    table: id,
    layers,
    source,
    from,
    to,
    onUnmapped,
  } = requireFields(config, fields, process.env);
  const problem = findPathProblem(source, { from, to });
  if (problem !== undefined) {
    throw new HilumError('permanent', [
      { code: 'path-invalid', severity: 'error', message: problem },
    ]);
  }
  const mappings = findMappings(RED);
  requireChoice({ layers, table: id }, mappings);
  const table = mappings.table(id, layers);
  if (table === undefined) throw new Error(`There is no table ${id}.`);
  return { node: config.id, table, layers, source, from, to, policy: onUnmapped };
}
