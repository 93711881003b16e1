import type { FlowNode } from '../../../core/interface.ts';
import { findGroups, selectGroup } from '../../../runtime/deploy/groups.ts';
import { Arrangement } from '../../../runtime/supervision/arrangement.ts';
import type { QuickEnd } from '../../../runtime/supervision/crash-loop.ts';
import { findParts } from '../../../runtime/supervision/linked-tabs.ts';

const tab = (id: string, group?: string): FlowNode => ({
  id,
  type: 'tab',
  label: id,
  env: group === undefined ? [] : [{ name: 'HILUM_GROUP', value: group, type: 'str' }],
});
const node = (z: string, type: string, more: object = {}): FlowNode => ({
  id: `${z}-${type.replace(' ', '-')}`,
  type,
  z,
  ...more,
});
const ends = (count: number, of: Partial<QuickEnd> = {}): readonly QuickEnd[] =>
  Array.from({ length: count }, () => ({ reason: 'it was killed', wasReady: true, ...of }));

describe('what needs each other', () => {
  const tabs = ['a', 'b', 'c', 'd'];
  it.each([
    ['nothing', [], [['a'], ['b'], ['c'], ['d']]],
    [
      'a link, over two',
      [
        node('a', 'link out', { links: ['c-link-in'] }),
        node('c', 'link in', { links: ['a-link-out'] }),
        node('c', 'link call', { links: ['d-link-in'] }),
        node('d', 'link in', { links: [] }),
      ],
      [['a', 'c', 'd'], ['b']],
    ],
    [
      'a call by name, which may reach any',
      [node('b', 'link call', { linkType: 'dynamic' }), node('d', 'link in', { links: [] })],
      [['a'], ['b', 'd'], ['c']],
    ],
    [
      'the global context',
      [
        node('a', 'function', { func: 'global.set("n", 1); return msg;' }),
        node('b', 'function', { func: 'return msg; // global' }),
        node('c', 'change', { rules: [{ t: 'set', p: 'n', pt: 'global' }] }),
      ],
      [['a', 'c'], ['b'], ['d']],
    ],
    [
      'queues do not join',
      [node('a', 'queue out', { queue: 'x' }), node('b', 'queue in', { queue: 'x' })],
      [['a'], ['b'], ['c'], ['d']],
    ],
  ])('%s', (_, nodes, wanted) => {
    expect(findParts([...tabs.map((id) => tab(id)), ...nodes], tabs)).toEqual(wanted);
  });
});

describe('a crash loop', () => {
  const flows = [
    ...['a', 'b', 'c'].map((id) => tab(id, 'shared')),
    tab('other'),
    ...['a', 'b', 'c', 'other'].map((id) => node(id, 'function', { func: 'return msg;' })),
  ];
  const none = new Set<string>();
  const tabsOf = (arranged: readonly FlowNode[], group: string): readonly string[] =>
    selectGroup(arranged, group)
      .filter(({ type, disabled }) => type === 'tab' && disabled !== true)
      .map(({ id }) => id);

  it('stops the one flow whose node did it, and the others run on together', () => {
    const arrangement = new Arrangement(() => 0);
    const measure = arrangement.onCrashLoop('shared', {
      flows,
      ends: ends(3, { nodeId: 'b-function', reason: 'the node b-function was in an endless loop' }),
    });
    expect(measure).toEqual({ kind: 'stopped', tabs: ['b'] });
    const { reason, since } = arrangement.stopped.get('b')!;
    expect(since).toBe('1970-01-01T00:00:00.000Z');
    expect(reason).toMatch(
      /group shared.*3 times.*node b-function was in an endless loop.*hilum interfaces start/,
    );
    expect(tabsOf(arrangement.arrange(flows, none), 'shared')).toEqual(['a', 'c']);
  });

  it('takes the flows apart where none is known, and then stops the one that does it again', () => {
    const arrangement = new Arrangement(() => 0);
    expect(arrangement.onCrashLoop('shared', { flows, ends: ends(8) })).toEqual({
      kind: 'split',
      parts: [['a'], ['b'], ['c']],
    });
    const apart = arrangement.arrange(flows, none);
    expect(findGroups(apart)).toEqual(['default', 'shared', 'shared~2', 'shared~3']);
    expect(tabsOf(apart, 'shared~3')).toEqual(['c']);
    expect(tabsOf(apart, 'default')).toEqual(['other']);
    expect(arrangement.onCrashLoop('shared~3', { flows: apart, ends: ends(8) })).toEqual({
      kind: 'stopped',
      tabs: ['c'],
    });
    expect([...arrangement.stopped.keys()]).toEqual(['c']);
    expect(findGroups(arrangement.arrange(flows, none))).toEqual(['default', 'shared', 'shared~2']);
    expect(arrangement.start('c')).toBe(true);
    expect(findGroups(arrangement.arrange(flows, none))).toContain('shared~3');
    arrangement.forget();
    expect(arrangement.arrange(flows, none)).toEqual(flows);
  });

  it('stops what is linked as one where none is known', () => {
    const linked = [
      ...flows,
      node('a', 'link out', { links: ['b-link-in'] }),
      node('b', 'link in'),
    ];
    const only = linked.filter(({ id, z }) => id !== 'c' && z !== 'c');
    const arrangement = new Arrangement(() => 0);
    expect(arrangement.onCrashLoop('shared', { flows: only, ends: ends(8) })).toEqual({
      kind: 'stopped',
      tabs: ['a', 'b'],
    });
    expect(arrangement.stopped.get('a')?.reason).toContain('Of 2 flows that are linked');
  });

  it('leaves out what an operator has stopped', () => {
    const arranged = new Arrangement(() => 0).arrange(flows, new Set(['other']));
    expect(findGroups(arranged)).toEqual(['shared']);
  });
});
