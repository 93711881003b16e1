import { packChanges, unpackChanges, type PayloadChanges } from '../../../core/payload-changes.ts';
import type { Ledger, LedgerEntry, LedgerEvent } from '../../../core/ports/ledger.ts';
import type { LedgerFixture, LedgerTest } from './fixture.ts';
import { events, instant, buildEnvelope, restartTimeoutMs } from './support.ts';

/** The steps of a message, and what nodes changed on it. */
export function describeTrace(test: LedgerTest): void {
  let fixture: LedgerFixture;
  let ledger: Ledger;
  beforeEach(() => {
    ({ fixture, ledger } = test.current());
  });

  describe('trace', () => {
    it('follows a message to everything that was made from it, in order of time', async () => {
      const parent = buildEnvelope({ interface: 'contract-a' });
      const child = buildEnvelope({
        correlationId: parent.correlationId,
        causationId: parent.id,
        interface: 'contract-b',
      });
      const stranger = buildEnvelope();
      await ledger.append([
        { type: 'message', envelope: parent },
        { type: 'message', envelope: stranger },
        ...events(stranger.id, ['received']),
        ...events(parent.id, ['received', 'queued', 'taken'], { queue: 'in.x' }),
      ]);
      await ledger.append([
        { type: 'message', envelope: child },
        ...events(child.id, ['queued'], { queue: 'out.y' }, 4),
      ]);
      // Written later and earlier in time: the worker's and the edge's processes are two.
      await ledger.append(events(parent.id, ['sent'], { queue: 'out.y' }, 3));
      for (const id of [parent.id, child.id]) {
        const trace = (await ledger.trace(id))!;
        expect(trace.messages.map((message) => message.id)).toEqual([parent.id, child.id]);
        expect(trace.events.map((event) => [event.messageId, event.kind])).toEqual([
          [parent.id, 'received'],
          [parent.id, 'queued'],
          [parent.id, 'taken'],
          [parent.id, 'sent'],
          [child.id, 'queued'],
        ]);
      }
    });

    it('keeps every field of an event and the order of those of one instant', async () => {
      const envelope = buildEnvelope();
      const full: LedgerEvent = {
        messageId: envelope.id,
        kind: 'failed',
        at: instant(0),
        queue: 'out.y',
        attempt: 2,
        summary: '503 Service Unavailable',
        issues: [
          { code: 'a', severity: 'error', location: 'PID-3', message: 'One.' },
          { code: 'b', severity: 'warning', message: 'Two.' },
        ],
      };
      const bare: LedgerEvent = { messageId: envelope.id, kind: 'taken', at: instant(0) };
      await ledger.append([
        { type: 'message', envelope },
        { type: 'event', event: full },
        { type: 'event', event: bare },
      ]);
      expect((await ledger.trace(envelope.id))?.events).toEqual([full, bare]);
    });
  });

  describe('what nodes changed', () => {
    const steps: PayloadChanges['steps'] = [
      {
        ...{ step: 1, node: 'n1', type: 'hl7 edit', name: 'Set "ä"', sizes: [40, 41] },
        segments: [['PID', 0, 3, 'A^B', null]],
      },
      {
        ...{ step: 2, from: 1, node: 'n2', type: 'function', output: 2, failed: true },
        ...{ forms: ['object', 'bytes'], sizes: [9, 2], cut: 7, delimiters: ['|^~\\&', '$^'] },
        excerpt: { at: 3, before: '{"a":\r', after: '\u0000\u00ff' },
      },
    ];
    const read = async (from: Ledger, id: string): Promise<PayloadChanges | undefined> => {
      const found = await from.changes(id);
      return found === undefined ? undefined : unpackChanges(found);
    };
    const made = (messageId: string, attempt: number, more = {}): LedgerEntry => ({
      type: 'changes',
      changes: packChanges({ messageId, attempt, steps: steps.slice(0, attempt), ...more }),
    });

    it('is read back: the last of what was told, which may be before the message itself', async () => {
      const envelope = buildEnvelope();
      const { id } = envelope;
      expect(await read(ledger, id)).toBeUndefined();
      await ledger.append([made(id, 1)]);
      expect(await read(ledger, id)).toEqual({ messageId: id, attempt: 1, steps: [steps[0]] });
      await ledger.append([...events(id, ['taken']), { type: 'message', envelope }]);
      expect(await read(ledger, id)).toMatchObject({ attempt: 1 });
      await ledger.append([made(id, 2, { cut: 5 }), ...events(id, ['processed'])]);
      const other = await fixture.reopen();
      expect(await read(other, id)).toEqual({ messageId: id, attempt: 2, steps, cut: 5 });
      expect((await other.trace(id))?.events.map(({ kind }) => kind)).toEqual([
        'taken',
        'processed',
      ]);
    });

    it(
      'survives the end of the server',
      async () => {
        const envelope = buildEnvelope();
        await ledger.append([{ type: 'message', envelope }, made(envelope.id, 2)]);
        await fixture.restart();
        const after = await fixture.reopen();
        expect(await read(after, envelope.id)).toMatchObject({ attempt: 2, steps });
      },
      restartTimeoutMs,
    );

    it('is refused where it is none, with all else of the call', async () => {
      const envelope = buildEnvelope();
      const broken = { type: 'changes', changes: { messageId: envelope.id } };
      await expect(
        ledger.append([{ type: 'message', envelope }, broken as unknown as LedgerEntry]),
      ).rejects.toMatchObject({ issues: [{ code: 'ledger-entry-invalid' }] });
      expect(await ledger.read(envelope.id)).toBeUndefined();
    });
  });
}
