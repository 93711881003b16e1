import { queueNames } from '../../core/interface.ts';
import { contributeFrom } from '../shared/contribution.ts';
import { topicPattern } from '../shared/fields.ts';

export const type = 'queue in';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface QueueInConfig {
  readonly name: string;
  /** The topics whose events it gets: `lab.result`, `lab.*`, `lab.#`. */
  readonly topic: string;
}

export const defaults: QueueInConfig = { name: '', topic: '' };

export const fields = { topic: topicPattern };

/** A queue of the node's own, subscribed to the topics. */
export const contribute = contributeFrom(fields, (values, node, context) => ({
  queues: [
    {
      name: queueNames.subscription(node.id),
      interface: context.interface,
      topics: [values.topic],
    },
  ],
}));
