import type { EventEmitter } from 'node:events';
import type { Logger } from '../../core/ports/logger.ts';
import { editorIdOf, type RuntimeNode } from '../node-red.ts';
import type { TrackerObserver } from './hook-events.ts';

/** A status goes to every open editor: more often than this, no node shows its count. */
const paceMs = 1_000;

interface Shown {
  count: number;
  paced: boolean;
}

/**
 * Says at the node, in the editor, and once a node in the log, what makes its settlement doubtful: it sent for a
 * message that had been settled, or it cannot say when it is done with one.
 */
export class NodeWarnings implements TrackerObserver {
  readonly #events: EventEmitter;
  readonly #logger: Logger;
  readonly #late = new Map<string, Shown>();

  constructor({ events, logger }: { readonly events: EventEmitter; readonly logger: Logger }) {
    this.#events = events;
    this.#logger = logger;
  }

  onLateSend(node: RuntimeNode): void {
    const id = editorIdOf(node);
    const shown = this.#late.get(id) ?? { count: 0, paced: false };
    this.#late.set(id, shown);
    shown.count += 1;
    if (shown.count === 1) {
      this.#logger.warn(
        { node: id, type: node.type, flow: node.z },
        'A node sent after its flow had been settled; a function that sends later must call node.done().',
      );
    }
    if (!shown.paced) this.#showLate(id, shown);
  }

  onNeverDone(node: RuntimeNode): void {
    const id = editorIdOf(node);
    this.#logger.warn(
      { node: id, type: node.type, flow: node.z },
      'A node never says when it is done: its messages count as processed when its handler returns.',
    );
    this.#show(id, 'never says when it is done');
  }

  #showLate(id: string, shown: Shown): void {
    const { count } = shown;
    this.#show(id, `sent too late: ${count}`);
    shown.paced = true;
    setTimeout(() => {
      shown.paced = false;
      if (shown.count > count) this.#showLate(id, shown);
    }, paceMs).unref();
  }

  #show(id: string, text: string): void {
    this.#events.emit('node-status', { id, status: { fill: 'yellow', shape: 'ring', text } });
  }
}
