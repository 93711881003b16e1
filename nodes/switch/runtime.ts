import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { buildError } from '../../core/errors.ts';
import { toError, type NodeConfig } from '../shared/node.ts';
import { buildCoreSwitch } from './core.ts';
import { type } from './definition.ts';
import { Sequences } from './sequences.ts';

interface SwitchConfig {
  readonly name: string;
  /** Sequences are renumbered for each output, once all of their messages are there. */
  readonly repair?: boolean;
}

type Done = (error?: Error) => void;

/**
 * `switch`: Node-RED's own, which says of no message when it has been routed; this one says it, and fails the
 * message whose rules cannot be evaluated.
 */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<SwitchConfig>): void {
    RED.nodes.createNode(this, config);
    /** By message, as often as it came: an object may be sent twice. */
    const waiting = new Map<object, Done[]>();
    const complete = (message: object, error: Error | undefined): void => {
      const dones = waiting.get(message);
      const done = dones?.shift();
      if (dones?.length === 0) waiting.delete(message);
      done?.(error);
    };
    const sequences = config.repair === true ? new Sequences(complete) : undefined;
    let current: { readonly message: object; error?: Error } | undefined;
    let wrong: unknown;

    const node = this as Node & Record<'error' | 'warn', unknown>;
    const report = (text: unknown): void => {
      if (current === undefined) wrong ??= text;
      else current.error ??= toError(text);
    };
    const complain = this.error.bind(this);
    // The core node says so of a message that it cannot route, and of rules that it cannot read.
    node.warn = report;
    node.error = (text: unknown, message?: object): void => {
      if (current === undefined) complain(text, message as NodeMessage);
      report(text);
    };
    const { handler } = buildCoreSwitch(RED, this, {
      config,
      observer: {
        onStart: (message) => {
          current = { message };
        },
        onEnd: () => {
          if (current === undefined) return;
          const { message, error: failure } = current;
          current = undefined;
          if (sequences?.take(message, failure) !== true) complete(message, failure);
        },
      },
    });
    this.on('input', (message, _send, done) => {
      if (handler === undefined) {
        done(buildRulesError(wrong));
        return;
      }
      // The core node reads the parts of whatever is there, and would stand still at this.
      if ((message as { parts?: unknown }).parts == null)
        delete (message as { parts?: unknown }).parts;
      const dones = waiting.get(message);
      if (dones === undefined) waiting.set(message, [done]);
      else dones.push(done);
      handler.call(this, message);
    });
  });
}

/** Rules that cannot be read must not quietly keep messages: each fails until they are mended. */
function buildRulesError(reason: unknown): Error {
  return buildError(
    'permanent',
    'switch-rules-invalid',
    `The node "switch" cannot read its rules (${String(reason)}); open it in the editor and mend them.`,
  );
}
