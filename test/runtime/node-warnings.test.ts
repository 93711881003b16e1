import { EventEmitter, once } from 'node:events';
import type { Logger } from '../../core/ports/logger.ts';
import type { RuntimeNode } from '../../runtime/node-red.ts';
import { NodeWarnings } from '../../runtime/settlement/node-warnings.ts';

const node = { id: 'n', type: 'function', z: 'tab' } as RuntimeNode;

const start = () => {
  const events = new EventEmitter();
  const statuses: { id: string; status: { text: string } }[] = [];
  events.on('node-status', (event: (typeof statuses)[number]) => statuses.push(event));
  const logged: object[] = [];
  const logger = { warn: (fields: object) => logged.push(fields) } as unknown as Logger;
  return { events, statuses, logged, warnings: new NodeWarnings({ events, logger }) };
};

describe('a node that sends too late', () => {
  it('shows it at once, is logged once, and counts on', async () => {
    const { events, statuses, logged, warnings } = start();
    for (let sent = 0; sent < 5; sent += 1) warnings.onLateSend(node);
    expect(statuses).toMatchObject([{ id: 'n', status: { text: 'sent too late: 1' } }]);
    expect(logged).toEqual([{ node: 'n', type: 'function', flow: 'tab' }]);
    await once(events, 'node-status');
    expect(statuses[1]).toMatchObject({ id: 'n', status: { text: 'sent too late: 5' } });
    expect(logged).toHaveLength(1);
  });

  it('is named as the editor knows it, inside of a subflow too', () => {
    const { statuses, warnings } = start();
    warnings.onLateSend({ ...node, id: 'instance-n', _alias: 'n' });
    expect(statuses).toMatchObject([{ id: 'n' }]);
  });
});

describe('a node that never says when it is done', () => {
  it('shows it and is logged', () => {
    const { statuses, logged, warnings } = start();
    warnings.onNeverDone(node);
    expect(statuses).toMatchObject([{ id: 'n', status: { fill: 'yellow' } }]);
    expect(logged).toHaveLength(1);
  });
});
