import type { Accept, Source } from '../../core/ports/source.ts';

/** A sender of the transport under test, as a partner would have it. */
export interface SourcePeer {
  /** Sends one message in the transport's framing. */
  send(message: string): void;
  /** The next answer, in the order in which they come; rejects when the connection closes first. */
  answer(): Promise<string>;
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>;
  close(): void;
}

/** How to make the source under test, on loopback. */
export interface SourceFixture {
  /** A source that is not started; port 0 lets the system choose. */
  open(accept: Accept, port?: number): Source;
  connect(address: { readonly host: string; readonly port: number }): Promise<SourcePeer>;
}

/** Every promise of core/ports/source.ts, as tests. */
export function describeSource(name: string, fixture: SourceFixture): void {
  describe(`source: ${name}`, () => {
    const started: Source[] = [];
    const peers: SourcePeer[] = [];

    async function start(accept: Accept): Promise<Source> {
      const source = fixture.open(accept);
      started.push(source);
      await source.start();
      return source;
    }

    async function connect(source: Source): Promise<SourcePeer> {
      const peer = await fixture.connect(source.address!);
      peers.push(peer);
      return peer;
    }

    afterEach(async () => {
      for (const peer of peers.splice(0)) peer.close();
      await Promise.all(started.splice(0).map((source) => source.stop({ drainMs: 0 })));
    });

    it('has an address once it listens', async () => {
      const source = fixture.open(echo);
      expect(source.address).toBeUndefined();
      started.push(source);
      await source.start();
      expect(source.address?.port).toBeGreaterThan(0);
    });

    it('rejects with words for people when the address is taken', async () => {
      const source = await start(echo);
      const second = fixture.open(echo, source.address!.port);
      await expect(second.start()).rejects.toThrow(String(source.address!.port));
    });

    it('hands over exactly the bytes, says from where, and answers', async () => {
      const received: { bytes: Uint8Array; remote: string }[] = [];
      const source = await start((message) => {
        received.push(message);
        return Promise.resolve(Buffer.from('answer one'));
      });
      const peer = await connect(source);
      peer.send('MSH|^~\\&|é\r');
      expect(await peer.answer()).toBe('answer one');
      expect(Buffer.from(received[0]!.bytes).toString()).toBe('MSH|^~\\&|é\r');
      expect(received[0]!.remote).toMatch(/^127\.0\.0\.1:\d+$/);
    });

    it('answers nothing where accept gives nothing', async () => {
      const source = await start(({ bytes }) =>
        Promise.resolve(bytes.length === 1 ? undefined : bytes),
      );
      const peer = await connect(source);
      peer.send('x');
      peer.send('second');
      expect(await peer.answer()).toBe('second');
    });

    it('accepts and answers in the order of arrival, however long each takes', async () => {
      const order: string[] = [];
      const releases: (() => void)[] = [];
      const source = await start(async ({ bytes }) => {
        order.push(Buffer.from(bytes).toString());
        if (order.length === 1) await new Promise<void>((resolve) => releases.push(resolve));
        else releases.forEach((release) => release());
        return bytes;
      });
      const peer = await connect(source);
      const other = await connect(source);
      peer.send('first');
      peer.send('second');
      // Where a source takes one message at a time, this one lets the first go.
      await until(() => order.length > 0);
      other.send('third');
      await other.answer();
      expect([await peer.answer(), await peer.answer()]).toEqual(['first', 'second']);
      expect(order.filter((each) => each !== 'third')).toEqual(['first', 'second']);
    });

    it('closes the connection without an answer when accept rejects, and serves the next', async () => {
      const source = await start(({ bytes }) =>
        bytes.length === 1 ? Promise.reject(new Error('disk full')) : Promise.resolve(bytes),
      );
      const peer = await connect(source);
      peer.send('x');
      await expect(peer.answer()).rejects.toThrow();
      await peer.closed;
      const next = await connect(source);
      next.send('served');
      expect(await next.answer()).toBe('served');
    });

    it('answers what is under way before it stops, and takes no more', async () => {
      const entered = Promise.withResolvers<undefined>();
      const release = Promise.withResolvers<undefined>();
      const source = await start(async ({ bytes }) => {
        entered.resolve(undefined);
        await release.promise;
        return bytes;
      });
      const peer = await connect(source);
      const { address } = source;
      peer.send('under way');
      await entered.promise;
      const stopped = source.stop({ drainMs: 20_000 });
      await expect(fixture.connect(address!)).rejects.toThrow();
      release.resolve(undefined);
      expect(await peer.answer()).toBe('under way');
      await peer.closed;
      await stopped;
      await source.stop({ drainMs: 0 });
    });

    it('gives up on answers that do not come in the time to drain', async () => {
      const entered = Promise.withResolvers<undefined>();
      const source = await start(() => {
        entered.resolve(undefined);
        return new Promise(() => undefined);
      });
      const peer = await connect(source);
      peer.send('never answered');
      await entered.promise;
      await source.stop({ drainMs: 50 });
      await peer.closed;
    });
  });
}

const echo: Accept = ({ bytes }) => Promise.resolve(bytes);

/** Waits for something that another event brings about; polls, since the port has no event for it. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
