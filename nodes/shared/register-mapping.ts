import type { Node, NodeAPI } from 'node-red';
import type { Issue } from '../../core/issue.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { serveMappings } from './mapping-server.ts';
import { attempt, toError, type Attempt, type NodeConfig } from './node.ts';
import { PacedStatus, showFailure } from './status.ts';

/** A node that puts what a message becomes in its place. */
export interface MappingNode<C, P> {
  readonly type: string;
  /** Throws a HilumError where the configuration is faulty, or names what the mappings do not have. */
  readonly prepare: (config: NodeConfig<C>) => P;
  /** Gives the status; throws, or rejects with, a HilumError that has the reasons where the message becomes nothing. */
  readonly map: (message: FlowMessage, prepared: P) => string | Promise<string>;
}

/** Registers a node that maps, prepared at once, so that faulty mappings show before the first message fails for them. */
export function registerMapping<C, P>(RED: NodeAPI, mapping: MappingNode<C, P>): void {
  serveMappings(RED);
  RED.nodes.registerType(mapping.type, function (this: Node, config: NodeConfig<C>): void {
    RED.nodes.createNode(this, config);
    const status = new PacedStatus(this);
    const prepared = attempt(() => mapping.prepare(config));
    if (!prepared.ok) {
      showFailure(status, prepared.error);
      // A worker that was to take over with it does not: every message would fail.
      this.error(prepared.error);
    }
    this.on('input', (message: FlowMessage, send, done) => {
      const finish = (mapped: Attempt<string>): void => {
        if (!mapped.ok) {
          showFailure(status, mapped.error);
          done(mapped.error);
          return;
        }
        status.show({ fill: 'green', shape: 'dot', text: mapped.value });
        send(message);
        done();
      };
      const mapped = attempt(() => {
        if (!prepared.ok) throw prepared.error;
        return mapping.map(message, prepared.value);
      });
      if (!mapped.ok || typeof mapped.value === 'string') finish(mapped as Attempt<string>);
      else {
        mapped.value.then(
          (value) => finish({ ok: true, value }),
          (error: unknown) => finish({ ok: false, error: toError(error) }),
        );
      }
    });
  });
}

/** The warning of what has a value that no rule reads. */
export function toLeftOver(what: 'field' | 'element'): (location: string) => Issue {
  return (location) => ({
    code: 'source-unconsumed',
    severity: 'warning',
    location,
    message: `The ${what} has a value and no rule reads it: map it, or name it as ignored.`,
  });
}
