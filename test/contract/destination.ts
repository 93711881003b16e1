import { randomUUID } from 'node:crypto';
import type { Envelope } from '../../core/envelope.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Destination } from '../../core/ports/destination.ts';

/** What the partner does with the next messages. */
export type PartnerBehaviour =
  /** Takes them and says so. */
  | 'accepts'
  /** Says that it never will. */
  | 'refuses'
  /** Says that it cannot now. */
  | 'is busy'
  /** Takes them and says nothing. */
  | 'is silent'
  /** Breaks the connection when it has one. */
  | 'breaks off'
  /** Answers what nobody can read. */
  | 'babbles';

/** A destination and its partner on loopback. One is opened for every test. */
export interface DestinationFixture {
  readonly destination: Destination;
  /** How many deliveries at a time the definition allows; at least 2. */
  readonly concurrency: number;
  behave(behaviour: PartnerBehaviour): void;
  /** How many messages the partner has got. */
  received(): number;
  /** How many connections to the partner are open. */
  connections(): number;
  /** Ends the partner: connections are refused. */
  stopPartner(): Promise<void>;
  /** A new message that must not be sent twice without need. */
  body(): string;
  close(): Promise<void>;
}

/** Every promise of core/ports/destination.ts, as tests. The destination's timeout must be under 2 s. */
export function describeDestination(
  name: string,
  options: { readonly contentType: string; readonly open: () => Promise<DestinationFixture> },
): void {
  describe(`destination: ${name}`, () => {
    let fixture: DestinationFixture;

    beforeEach(async () => {
      fixture = await options.open();
    });

    afterEach(async () => {
      await fixture.destination.close();
      await fixture.close();
    });

    function deliver(signal = new AbortController().signal): Promise<Outcome> {
      const envelope: Envelope = {
        id: randomUUID(),
        interface: 'contract',
        contentType: options.contentType,
        correlationId: randomUUID(),
        receivedAt: '2026-01-01T00:00:00.000Z',
        attempt: 1,
        body: Buffer.from(fixture.body()),
      };
      return fixture.destination.deliver(envelope, signal);
    }

    it('is delivered when the partner says that it has it, with its answer', async () => {
      fixture.behave('accepts');
      const outcome = await deliver();
      expect(outcome.kind).toBe('delivered');
      expect(outcome.answer?.body.length).toBeGreaterThan(0);
      expect(fixture.received()).toBe(1);
    });

    it.each([
      ['refuses', 'permanent'],
      ['is busy', 'transient'],
      ['is silent', 'ambiguous'],
      ['breaks off', 'ambiguous'],
      ['babbles', 'ambiguous'],
    ] as const)('when the partner %s it is %s, with a reason', async (behaviour, kind) => {
      fixture.behave(behaviour);
      const outcome = await deliver();
      expect(outcome.kind).toBe(kind);
      expect(outcome).toHaveProperty(['issues', 0, 'severity'], 'error');
    });

    it.each([
      ['refuses', false],
      ['is silent', true],
      ['breaks off', true],
      ['babbles', false],
    ] as const)('when the partner %s, that it is an outage is %s', async (behaviour, isOutage) => {
      fixture.behave(behaviour);
      const outcome = await deliver();
      expect('isOutage' in outcome && outcome.isOutage).toBe(isOutage);
    });

    it('is transient when nobody listens, and an outage', async () => {
      await fixture.stopPartner();
      expect(await deliver()).toMatchObject({ kind: 'transient', isOutage: true });
    });

    it('delivers again after the partner was silent, broke off, or was gone', async () => {
      for (const behaviour of ['is silent', 'breaks off', 'babbles'] as const) {
        fixture.behave(behaviour);
        await deliver();
        fixture.behave('accepts');
        expect((await deliver()).kind).toBe('delivered');
      }
    });

    it('keeps its connections and opens no more than its concurrency', async () => {
      fixture.behave('accepts');
      const outcomes = await Promise.all(
        Array.from({ length: fixture.concurrency * 4 }, () => deliver()),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(outcomes.map(() => 'delivered'));
      expect(fixture.connections()).toBeLessThanOrEqual(fixture.concurrency);
      expect(fixture.connections()).toBeGreaterThan(0);
    });

    it('ends an attempt that is under way when it is told to', async () => {
      fixture.behave('is silent');
      const ending = new AbortController();
      const delivered = deliver(ending.signal);
      ending.abort();
      expect(['transient', 'ambiguous']).toContain((await delivered).kind);
    });

    it('does not begin when it was told to end before', async () => {
      fixture.behave('accepts');
      expect((await deliver(AbortSignal.abort())).kind).toBe('transient');
      expect(fixture.received()).toBe(0);
    });

    it('may be closed twice', async () => {
      fixture.behave('accepts');
      await deliver();
      await fixture.destination.close();
      await fixture.destination.close();
    });
  });
}
