import { randomUUID } from 'node:crypto';
import type { Envelope } from '../../../core/envelope.ts';
import type { Ledger, LedgerFilter, ReceivedQuery } from '../../../core/ports/ledger.ts';
import type { LedgerTest } from './fixture.ts';
import { uniqueName } from '../envelope.ts';
import { events, instant, writeMany, digestOf, buildEnvelope } from './support.ts';

/** Messages by what is known of them. */
export function describeSearching(test: LedgerTest): void {
  let ledger: Ledger;
  beforeEach(() => {
    ({ ledger } = test.current());
  });

  describe('findReceived', () => {
    const query = (envelope: Envelope, fields: Partial<ReceivedQuery> = {}): ReceivedQuery => ({
      interface: envelope.interface,
      controlId: envelope.controlId ?? '',
      digest: digestOf(envelope),
      since: instant(0),
      ...fields,
    });
    const received = (fields: Partial<Envelope> = {}): Envelope =>
      buildEnvelope({ interface: uniqueName('tab'), controlId: randomUUID(), ...fields });

    it('finds what came before under a control id, and says whether it was the same', async () => {
      const sent = received();
      await ledger.append([
        { type: 'message', envelope: sent },
        ...events(sent.id, ['received', 'queued'], { queue: uniqueName('in') }),
      ]);
      const found = { id: sent.id, state: 'queued', receivedAt: sent.receivedAt };
      expect(
        await ledger.findReceived([
          query(sent),
          query(sent, { digest: digestOf(received()) }),
          query(sent, { controlId: randomUUID() }),
          query(sent, { interface: uniqueName('tab') }),
          query(sent, { since: instant(1) }),
          query(sent, { digest: digestOf(received()), since: instant(1) }),
        ]),
      ).toEqual([
        { ...found, hasSameContent: true },
        { ...found, hasSameContent: false },
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      expect(await ledger.findReceived([])).toEqual([]);
    });

    it('prefers the same content, however many others used the control id since', async () => {
      const first = received();
      const others = Array.from({ length: 100 }, (_, index) =>
        received({
          interface: first.interface,
          controlId: first.controlId!,
          receivedAt: instant(index + 1),
        }),
      );
      await ledger.append([first, ...others].map((envelope) => ({ type: 'message', envelope })));
      const found = await ledger.findReceived([
        query(first),
        query(first, { digest: digestOf(received()) }),
      ]);
      expect(found.map((it) => [it?.id, it?.hasSameContent])).toEqual([
        [first.id, true],
        [others.at(-1)!.id, false],
      ]);
    });

    it('takes the digest that it is given, and computes the one it is not', async () => {
      const [given, computed] = [received(), received()];
      await ledger.append([
        { type: 'message', envelope: given, digest: 'of-somebody-else' },
        { type: 'message', envelope: computed },
      ]);
      const [byGiven, byComputed] = await ledger.findReceived([
        query(given, { digest: 'of-somebody-else' }),
        query(computed),
      ]);
      expect([byGiven?.hasSameContent, byComputed?.hasSameContent]).toEqual([true, true]);
    });

    it('leaves out what was refused, what was a duplicate, and what was made from others', async () => {
      const sent = received();
      const again = (): Envelope => ({ ...sent, id: randomUUID() });
      const [refused, refusedLater, duplicate] = [again(), again(), again()];
      await ledger.append([
        { type: 'message', envelope: refused },
        ...events(refused.id, ['refused']),
        { type: 'message', envelope: refusedLater },
        { type: 'message', envelope: duplicate },
        ...events(duplicate.id, ['duplicate']),
        { type: 'message', envelope: { ...again(), causationId: sent.id } },
      ]);
      await ledger.append(events(refusedLater.id, ['refused'], {}, 1));
      const unlike = query(sent, { digest: digestOf(received()) });
      expect(await ledger.findReceived([query(sent), unlike])).toEqual([undefined, undefined]);
      await ledger.append([{ type: 'message', envelope: sent }]);
      const [found] = await ledger.findReceived([query(sent)]);
      expect(found?.id).toBe(sent.id);
    });
  });

  describe('find', () => {
    it('gives the newest or the oldest first, page by page, whatever comes meanwhile', async () => {
      const interfaceId = uniqueName('tab');
      const written = await writeMany(ledger, interfaceId, 25);
      for (const order of ['newest', 'oldest'] as const) {
        const pages: string[] = [];
        for (;;) {
          const after = pages.at(-1);
          const page = await ledger.find(
            { interface: interfaceId },
            { limit: 10, order, ...(after === undefined ? {} : { after }) },
          );
          if (page.length === 0) break;
          pages.push(...page.map((message) => message.id));
          if (order === 'newest') await writeMany(ledger, interfaceId, 1);
          else await ledger.append(events(written[0]!, ['taken'], {}, 10));
        }
        expect(pages.slice(0, 25)).toEqual(order === 'newest' ? written.toReversed() : written);
      }
      const unknown = { limit: 5, after: randomUUID() };
      expect(await ledger.find({ interface: interfaceId }, unknown)).toEqual([]);
    });

    it('goes by the time of receipt, not of arrival', async () => {
      const interfaceId = uniqueName('tab');
      const early = buildEnvelope({ interface: interfaceId, receivedAt: instant(1) });
      const late = buildEnvelope({ interface: interfaceId, receivedAt: instant(2) });
      await ledger.append([late, early].map((envelope) => ({ type: 'message', envelope })));
      const found = await ledger.find({ interface: interfaceId }, { limit: 5 });
      expect(found.map(({ id }) => id)).toEqual([late.id, early.id]);
    });

    it('keeps to an interface and states, as they stand now', async () => {
      const [here, there] = [uniqueName('tab'), uniqueName('tab')];
      const mine = await writeMany(ledger, here, 6);
      const others = await writeMany(ledger, there, 6);
      const dead = [mine[1]!, mine[4]!, others[2]!];
      for (const id of dead) await ledger.append(events(id, ['dead-lettered'], {}, 50));
      await ledger.append(events(mine[4]!, ['processed'], {}, 60));
      const idsOf = async (filter: LedgerFilter, limit = 10): Promise<string[]> =>
        (await ledger.find(filter, { limit })).map(({ id }) => id);
      const states = ['dead-lettered'] as const;
      expect(await idsOf({ interface: here, states })).toEqual([mine[1]]);
      expect((await idsOf({ states }, 2)).slice(0, 2)).toEqual([others[2], mine[1]]);
      expect(await idsOf({ interface: here, states: ['processed'] })).toEqual([mine[4]]);
      expect(await idsOf({ interface: here, states: ['processed', 'dead-lettered'] })).toEqual([
        mine[4],
        mine[1],
      ]);
      expect(await idsOf({ interface: here })).toEqual(mine.toReversed());
      expect(await idsOf({ interface: uniqueName('tab') })).toEqual([]);
    });

    it('keeps to every other field, one by one and all together', async () => {
      const interfaceId = uniqueName('tab');
      const queue = uniqueName('in');
      const code = uniqueName('code');
      const wanted = buildEnvelope({
        interface: interfaceId,
        messageType: 'ORU^R01^ORU_R01',
        controlId: randomUUID(),
        key: uniqueName('key'),
        receivedAt: instant(5_000),
      });
      const other = buildEnvelope({
        interface: interfaceId,
        messageType: 'ADT^A01^ADT_A01',
        controlId: randomUUID(),
        key: uniqueName('key'),
        receivedAt: instant(6_000),
      });
      const issues = [{ code, severity: 'error', message: 'Expected 1, found 2.' }] as const;
      await ledger.append([
        { type: 'message', envelope: other },
        ...events(other.id, ['queued'], { queue: uniqueName('in') }),
        { type: 'message', envelope: wanted },
        ...events(wanted.id, ['queued', 'taken'], { queue }, 5_000),
        ...events(wanted.id, ['failed'], { queue, issues }, 5_003),
      ]);
      const filters: readonly LedgerFilter[] = [
        { messageType: 'ORU^R01^ORU_R01' },
        { messageType: 'OR*' },
        { controlId: wanted.controlId! },
        { key: wanted.key! },
        { queue },
        { issueCode: code },
        { receivedFrom: instant(5_000), receivedTo: instant(6_000) },
        { receivedTo: instant(5_001) },
        { states: ['retrying'] },
      ];
      const idsOf = async (filter: LedgerFilter): Promise<string[]> =>
        (await ledger.find(filter, { limit: 5 })).map(({ id }) => id);
      for (const filter of filters) {
        expect([filter, await idsOf({ ...filter, interface: interfaceId })]).toEqual([
          filter,
          [wanted.id],
        ]);
      }
      const all = Object.assign({ interface: interfaceId }, ...filters) as LedgerFilter;
      expect(await idsOf(all)).toEqual([wanted.id]);
      for (const field of Object.keys(all)) {
        const not: LedgerFilter =
          field === 'states'
            ? { states: ['queued'] }
            : { [field]: field === 'receivedFrom' ? instant(6_000) : instant(0) };
        expect([field, await idsOf({ ...all, ...not })]).toEqual([field, []]);
      }
      // Without an interface, each by itself: the index of the field, or all of the ledger.
      for (const filter of [{ queue }, { issueCode: code }, { key: wanted.key! }]) {
        expect(await idsOf(filter)).toEqual([wanted.id]);
      }
    });

    it('finds the few among many that no index tells apart', async () => {
      const interfaceId = uniqueName('tab');
      const many = Array.from({ length: 3_500 }, (_, index) =>
        buildEnvelope({
          interface: interfaceId,
          messageType: index % 1_100 === 7 ? 'MDM^T02' : 'ADT^A08',
          receivedAt: instant(index % 10),
        }),
      );
      await ledger.append(many.map((envelope) => ({ type: 'message', envelope })));
      const filter = { interface: interfaceId, messageType: 'MDM*' };
      const found = await ledger.find(filter, { limit: 50, order: 'oldest' });
      expect(found.map(({ id }) => id)).toEqual(
        many.filter(({ messageType }) => messageType === 'MDM^T02').map(({ id }) => id),
      );
      const [first] = found;
      const rest = await ledger.find(filter, { limit: 2, order: 'oldest', after: first!.id });
      expect(rest.map(({ id }) => id)).toEqual(found.slice(1, 3).map(({ id }) => id));
      expect(await ledger.find({ interface: interfaceId }, { limit: 2_500 })).toHaveLength(2_500);
    });
  });
}
