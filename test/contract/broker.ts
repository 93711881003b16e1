import type { Broker } from '../../core/ports/broker.ts';
import { describeDeclaring } from './broker/counting.ts';
import type { BrokerFixture, BrokerTest } from './broker/fixture.ts';
import { describeLostConnections } from './broker/lost-connections.ts';
import { describeOrder } from './broker/order.ts';
import { describeOutgoing } from './broker/outgoing.ts';
import { describePausing } from './broker/pausing.ts';
import { describePublishing } from './broker/publishing.ts';
import { describeSettling } from './broker/settling.ts';
import { uniqueName } from './envelope.ts';
import { restartTimeoutMs } from './broker/support.ts';
import { describeTopics } from './broker/topics.ts';

/**
 * Every promise of core/ports/broker.ts, as tests. `open` is called before each of them; a slow server
 * may be shared between the fixtures that it returns, since every test uses queues of its own. Without
 * `keepsOrderOverCrash` what several consumers or one held when the server was killed may come back in another order.
 */
export function describeBroker(
  name: string,
  open: () => Promise<BrokerFixture>,
  { keepsOrderOverCrash = true }: { readonly keepsOrderOverCrash?: boolean } = {},
): void {
  describe(`broker: ${name}`, () => {
    let fixture: BrokerFixture;
    let broker: Broker;
    let queue: string;

    beforeEach(async () => {
      fixture = await open();
      broker = fixture.broker;
      queue = uniqueName('in');
      await broker.declare({ name: queue, interface: 'contract' });
    }, restartTimeoutMs);

    afterEach(async () => {
      await fixture.close();
    }, restartTimeoutMs);

    const test: BrokerTest = { current: () => ({ fixture, broker, queue }) };
    describePublishing(test);
    describeSettling(test);
    describeOutgoing(test);
    describePausing(test);
    describeOrder(test, { keepsOrderOverCrash });
    describeTopics(test);
    describeDeclaring(test);
    describeLostConnections(test);
  });
}
