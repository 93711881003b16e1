import { AsyncResource } from 'node:async_hooks';
import type { Node, NodeAPI, NodeStatus } from 'node-red';
import { findFailure } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';

const shortestIntervalMs = 500;

/** A status whose text is only made when it is shown: most are not, and a translation costs as much as an edit. */
export type LazyStatus = Omit<NodeStatus, 'text'> & { readonly text: string | (() => string) };

/**
 * A node's status at a pace that people can read: every change of status goes to all open editors, so
 * one per message would cost more than the message. The last one shown is always shown in the end.
 */
export class PacedStatus {
  readonly #node: Node;
  readonly #showLater: () => void;
  #next: LazyStatus | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(node: Node) {
    this.#node = node;
    // Bound here, outside of any message: what a timer shows belongs to no message that is being followed.
    this.#showLater = AsyncResource.bind(() => {
      this.#timer = undefined;
      this.#showNext();
    });
    node.on('close', () => {
      clearTimeout(this.#timer);
    });
  }

  show(status: LazyStatus): void {
    this.#next = status;
    if (this.#timer === undefined) this.#showNext();
  }

  #showNext(): void {
    if (this.#next === undefined) return;
    const { text, ...rest } = this.#next;
    this.#node.status({ ...rest, text: typeof text === 'string' ? text : text() });
    this.#next = undefined;
    this.#timer = setTimeout(this.#showLater, shortestIntervalMs);
    this.#timer.unref();
  }
}

/** What a node that cannot work here shows. */
export function showRuntimeMissing(RED: NodeAPI, node: Node): void {
  node.status({ fill: 'grey', shape: 'ring', text: RED._('hilum.status.runtime-missing') });
}

/** What went wrong, as its first finding's place and code: never a text that may quote the message. */
export function showFailure(status: PacedStatus, thrown: unknown): void {
  const [issue] = findFailure(thrown)?.issues ?? [];
  status.show({ fill: 'red', shape: 'dot', text: issue === undefined ? 'error' : toShort(issue) });
}

/** A finding in the few characters that fit under a node: `PID-3 required-field-missing`. */
export function toShort({ location, code }: Issue): string {
  return location === undefined ? code : `${location} ${code}`;
}
