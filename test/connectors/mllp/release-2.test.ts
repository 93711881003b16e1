import { createMllpDestination } from '../../../connectors/mllp/client.ts';
import { createMllpSource } from '../../../connectors/mllp/server.ts';
import type { MllpSource, MllpSourceOptions } from '../../../connectors/mllp/server.ts';
import type { CommitMode } from '../../../core/interface.ts';
import { connectRaw, createLogRecorder } from './peer.ts';
import type { RawPeer } from './peer.ts';
import { buildEnvelope, buildAnswer, senderDefinition, startPartner } from './partner.ts';
import type { Answerer } from './partner.ts';

const ACK = '\x06';
const NAK = '\x15';
const log = createLogRecorder();

beforeEach(() => {
  log.lines.length = 0;
});

describe('MLLP release 2 server', () => {
  let source: MllpSource;
  let peer: RawPeer;
  let accepted: string[];

  async function start(commit: CommitMode | undefined, options: Partial<MllpSourceOptions> = {}) {
    accepted = [];
    source = createMllpSource({
      host: '127.0.0.1',
      port: 0,
      maxFrameBytes: 1_000_000,
      idleTimeoutMs: 60_000,
      logger: log,
      accept: ({ bytes }) => {
        const text = Buffer.from(bytes).toString();
        accepted.push(text);
        if (text === 'full') return Promise.reject(new Error('disk full'));
        return Promise.resolve(text === 'silent' ? undefined : Buffer.from(`ack ${text}`));
      },
      ...(commit === undefined ? {} : { commit }),
      ...options,
    });
    await source.start();
    peer = await connectRaw(source.address!);
  }

  afterEach(async () => {
    peer.close();
    await source.stop({ drainMs: 0 });
  });

  it.each<[CommitMode, string[], string[]]>([
    ['before-acknowledgment', ['M1'], [ACK, 'ack M1']],
    ['instead-of-acknowledgment', ['M1'], [ACK]],
    ['before-acknowledgment', ['M1', 'M2'], [ACK, 'ack M1', ACK, 'ack M2']],
    ['instead-of-acknowledgment', ['M1', 'M2'], [ACK, ACK]],
    ['before-acknowledgment', ['silent', 'M2'], [ACK, ACK, 'ack M2']],
    ['before-acknowledgment', ['M1', 'full', 'M2'], [ACK, 'ack M1', NAK, ACK, 'ack M2']],
    ['instead-of-acknowledgment', ['full', 'M2'], [NAK, ACK]],
  ])('commits %s: %j is answered %j', async (commit, messages, expected) => {
    await start(commit);
    peer.write(messages.map((message) => `\x0b${message}\x1c\r`).join(''));
    for (const answer of expected) expect(await peer.answer()).toBe(answer);
    expect(accepted).toEqual(messages);
  });

  it('does not commit before the message is durable', async () => {
    const durable = Promise.withResolvers<undefined>();
    await start('instead-of-acknowledgment', {
      accept: async ({ bytes }) => {
        if (bytes.length === 1) await durable.promise;
        return bytes;
      },
    });
    const other = await connectRaw(source.address!);
    let hasCommitted = false;
    peer.send('1');
    const committed = peer.answer().then((answer) => {
      hasCommitted = true;
      return answer;
    });
    other.send('M2');
    await other.answer();
    expect(hasCommitted).toBe(false);
    durable.resolve(undefined);
    expect(await committed).toBe(ACK);
    other.close();
  });

  it('takes the commit block for its acknowledgment and goes on', async () => {
    await start('before-acknowledgment');
    for (const name of ['M1', 'M2']) {
      peer.send(name);
      expect([await peer.answer(), await peer.answer()]).toEqual([ACK, `ack ${name}`]);
      peer.send(ACK);
    }
    expect(accepted).toEqual(['M1', 'M2']);
    expect(source.counts()).toMatchObject({ messages: 2, answers: 2, faults: 0 });
  });

  it('repeats an acknowledgment that was not committed, twice, then closes', async () => {
    await start('before-acknowledgment');
    peer.send('M1');
    expect([await peer.answer(), await peer.answer()]).toEqual([ACK, 'ack M1']);
    peer.send(NAK);
    expect(await peer.answer()).toBe('ack M1');
    peer.send(NAK);
    expect(await peer.answer()).toBe('ack M1');
    peer.send(NAK);
    await peer.closed;
    expect(log.lines.join()).toContain('could not commit');
  });

  it('that is switched off neither answers nor accepts a commit block, and says so', async () => {
    await start(undefined);
    peer.write(`\x0b${ACK}\x1c\r\x0b${NAK}\x1c\r\x0bM1\x1c\r`);
    expect(await peer.answer()).toBe('ack M1');
    expect(accepted).toEqual(['M1']);
    expect(log.lines.join()).toContain('commit-unexpected');
  });
});

describe('MLLP release 2 client', () => {
  const partners: { stop(): Promise<void> }[] = [];

  async function deliver(
    commit: CommitMode | undefined,
    answer: Answerer,
  ): Promise<{ kind: string; received: number; committed: number; text: string }> {
    const partner = await startPartner(answer);
    partners.push(partner);
    const definition = { ...senderDefinition, port: partner.port, timeoutMs: 300 };
    const destination = createMllpDestination(
      commit === undefined ? definition : { ...definition, commit },
      { logger: log },
    );
    const outcome = await destination.deliver(buildEnvelope(), new AbortController().signal);
    await destination.close();
    await Promise.all([...partner.sockets].map((socket) => partner.gone(socket)));
    return {
      kind: outcome.kind,
      received: partner.received(),
      committed: partner.commits(),
      text: JSON.stringify(outcome),
    };
  }

  afterEach(async () => {
    await Promise.all(partners.splice(0).map((partner) => partner.stop()));
  });

  const block = (content: string) => `\x0b${content}\x1c\r`;
  const says =
    (...parts: readonly ('ACK' | 'NAK' | 'AA' | 'AE' | 'AR')[]): Answerer =>
    (controlId, socket) => {
      for (const part of parts) {
        const isCommit = part === 'ACK' || part === 'NAK';
        socket.write(isCommit ? block(part === 'ACK' ? ACK : NAK) : buildAnswer(part, controlId));
      }
    };
  /** A negative commit block so often, then what follows. */
  const first = (times: number, then: Answerer): Answerer => {
    let left = times;
    return (controlId, socket) => {
      if (left > 0) {
        left -= 1;
        socket.write(block(NAK));
      } else then(controlId, socket);
    };
  };

  it.each<[string, CommitMode | undefined, Answerer, string, number, number]>([
    ['committed', 'instead-of-acknowledgment', says('ACK'), 'delivered', 1, 0],
    ['committed, then AA', 'before-acknowledgment', says('ACK', 'AA'), 'delivered', 1, 1],
    ['committed, then AE', 'before-acknowledgment', says('ACK', 'AE'), 'permanent', 1, 1],
    ['committed, then AR', 'before-acknowledgment', says('ACK', 'AR'), 'transient', 1, 1],
    ['AA alone, from release 1', 'before-acknowledgment', says('AA'), 'delivered', 1, 1],
    ['AE alone', 'instead-of-acknowledgment', says('AE'), 'permanent', 1, 1],
    ['committed, then nothing', 'before-acknowledgment', says('ACK'), 'ambiguous', 1, 0],
    ['nothing', 'instead-of-acknowledgment', says(), 'ambiguous', 1, 0],
    ['NAK, then ACK', 'instead-of-acknowledgment', first(1, says('ACK')), 'delivered', 2, 0],
    ['NAK twice', 'before-acknowledgment', first(2, says('ACK', 'AA')), 'delivered', 3, 1],
    ['NAK for ever', 'instead-of-acknowledgment', first(9, says('ACK')), 'transient', 3, 0],
    ['committed unasked, then AA', undefined, says('ACK', 'AA'), 'delivered', 1, 0],
    ['NAK unasked', undefined, first(9, says('AA')), 'transient', 1, 0],
  ])('that hears %s (%s)', async (_what, commit, answer, kind, received, committed) => {
    const found = await deliver(commit, answer);
    expect(found).toMatchObject({ kind, received, committed });
  });

  it('says that the partner has committed what it did not acknowledge', async () => {
    const { text } = await deliver('before-acknowledgment', says('ACK'));
    expect(text).toContain('The partner has committed the message.');
  });
});
