import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Contents } from '../../../connectors/sqlite/contents.ts';
import { Database } from '../../../connectors/sqlite/database.ts';
import { Journal } from '../../../connectors/sqlite/journal.ts';
import type { DeliveryParcel } from '../../../connectors/sqlite/protocol.ts';
import { Queues } from '../../../connectors/sqlite/queues.ts';
import type { Effect } from '../../../connectors/sqlite/queues.ts';
import { UndoLog } from '../../../connectors/sqlite/undo-log.ts';

describe('queues whose file cannot be read for a while', () => {
  let folder: string;
  let database: Database;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hilum-queues-'));
    database = new Database(join(folder, 'hilum.db'), {});
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lose nothing, hold up no other queue, and go on', () => {
    const undo = new UndoLog();
    const contents = new Contents(database, undo);
    const journal = new Journal(database);
    const stores = { database, journal, contents, undo };
    const queues = new Queues(stores, { wake: () => undefined, stateOf: () => undefined });
    const delivered: DeliveryParcel[] = [];
    const receiver = { canTake: true, deliver: (it: DeliveryParcel) => void delivered.push(it) };
    const apply = (...build: (() => Effect)[]): void => {
      let effects: Effect[] = [];
      let marked: Effect = () => undefined;
      database.transact(() => {
        effects = build.map((each) => each());
        marked = queues.moveMarks();
      });
      undo.forget();
      marked();
      for (const effect of effects) effect();
    };
    const names = ['in.a', 'in.b'];
    const ids = (): string[] => delivered.splice(0).map(([, , , [id]]) => id);
    const publish = (name: string, id: string): (() => Effect) => {
      return () => queues.publish(name, [id, 1, '{}', new Uint8Array()]);
    };
    apply(
      ...names.map((name) => () => queues.declare(name, 'test', { topics: [], isOrdered: false })),
    );
    apply(...names.map((name) => publish(name, `${name} 1`)));
    apply(...names.map((name, id) => () => queues.consume(receiver, name, { id, window: 1 })));
    queues.dispatch();
    apply();
    queues.dispatch();
    expect(ids()).toEqual(['in.a 1', 'in.b 1']);
    // Given back, so that they have to be read from the file again.
    queues.leave(receiver);
    database.transact(() => queues.rows.writeBack(Infinity));
    queues.rows.written();
    apply(...names.map((name, id) => () => queues.consume(receiver, name, { id, window: 2 })));
    apply(() => queues.declare('in.c', 'test', { topics: [], isOrdered: false }));
    apply(() => queues.consume(receiver, 'in.c', { id: 3, window: 1 }), publish('in.c', 'in.c 1'));
    database.run('ALTER TABLE queued RENAME TO elsewhere');
    expect(queues.dispatch()).toHaveLength(2);
    expect(ids()).toEqual(['in.c 1']);
    database.run('ALTER TABLE elsewhere RENAME TO queued');
    expect(queues.dispatch()).toEqual([]);
    expect(ids()).toEqual(['in.a 1', 'in.b 1']);
  });
});
