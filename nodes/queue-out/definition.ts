import { queueNames } from '../../core/interface.ts';
import { contributeFrom } from '../shared/contribution.ts';
import { choice, optional, topicName } from '../shared/fields.ts';

export const type = 'queue out';

/** Configuration as the editor stores it; every text may hold `${NAME}`. */
export interface QueueOutConfig {
  readonly name: string;
  /** The topic of the event: `lab.result`. */
  readonly topic: string;
  /** Keep copies in a queue of the topic's own until a service takes them. */
  readonly keep: boolean;
}

export const defaults: QueueOutConfig = { name: '', topic: '', keep: true };

export const fields = {
  topic: topicName,
  keep: optional(choice('true', 'false'), 'true'),
};

/** The queue that keeps the topic's copies; nothing where the node is told not to. */
export const contribute = contributeFrom(fields, (values, _node, context) =>
  values.keep === 'true'
    ? {
        queues: [
          {
            name: queueNames.event(values.topic),
            interface: context.interface,
            topics: [values.topic],
          },
        ],
      }
    : {},
);
