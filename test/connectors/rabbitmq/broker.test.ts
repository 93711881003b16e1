import { describeAcknowledgments } from './broker/acknowledgments.ts';
import { describeConsumerWatch } from './broker/consumer-watch.ts';
import { describeCounters } from './broker/counters.ts';
import { describeForeign } from './broker/foreign.ts';
import { describeMoveAll } from './broker/move-all.ts';
import { describeMoves } from './broker/moves.ts';
import { describeRecovery } from './broker/recovery.ts';
import { describeRefusals } from './broker/refusals.ts';
import { describeSettlements } from './broker/settlements.ts';
import { describeRabbit } from './broker/support.ts';

/** What the contract, which every broker passes, does not say: what is RabbitMQ's own. */
describeRabbit('the broker on RabbitMQ', (rabbit) => {
  describeForeign(rabbit);
  describeRefusals(rabbit);
  describeSettlements(rabbit);
  describeRecovery(rabbit);
  describeAcknowledgments(rabbit);
  describeConsumerWatch(rabbit);
  describeMoves(rabbit);
  describeMoveAll(rabbit);
  describeCounters(rabbit);
});
