import fc from 'fast-check';
import { toFrame, FrameReader } from '../../../connectors/sqlite/frames.ts';
import type { Request, Response } from '../../../connectors/sqlite/protocol.ts';
import {
  readRequests,
  readResponse,
  writeRequests,
  writeResponse,
} from '../../../connectors/sqlite/wire.ts';
import type { Envelope } from '../../../core/envelope.ts';
import type { LedgerEntry } from '../../../core/ports/ledger.ts';

function buildEnvelope(): Envelope {
  return {
    id: 'id',
    interface: 'lab',
    contentType: 'application/hl7-v2',
    correlationId: 'id',
    receivedAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    body: Buffer.from('MSH|^~\\&|'),
  };
}

const text = fc.string({ unit: 'binary' });
const body = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes));
const parcel = fc.tuple(text, fc.nat(), text, body);
const issues = fc.array(
  fc.record({ code: text, severity: fc.constant('error' as const), message: text }),
);
const entry: fc.Arbitrary<LedgerEntry> = fc.oneof(
  fc.record(
    {
      type: fc.constant('message' as const),
      envelope: fc
        .tuple(text, body)
        .map(([key, bytes]) => ({ ...buildEnvelope(), key, body: bytes })),
      digest: text,
    },
    { requiredKeys: ['type', 'envelope'] },
  ),
  fc.record({
    type: fc.constant('event' as const),
    event: fc.record(
      {
        messageId: text,
        kind: fc.constantFrom('received' as const, 'queued' as const),
        at: text,
        queue: text,
        attempt: fc.nat(),
        summary: text,
        issues,
      },
      { requiredKeys: ['messageId', 'kind', 'at'] },
    ),
  }),
);
const entries = fc.array(entry, { maxLength: 4 });
const outgoing = fc.tuple(fc.constantFrom('queue' as const, 'topic' as const), text, parcel);
const beside = fc.option(fc.record({ outgoing: fc.array(outgoing), entries }), { nil: undefined });
const before = { interface: 'a', controlId: 'b', digest: 'c', since: 'd' };

const id = fc.nat();
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.tuple(id, fc.constantFrom('publish' as const, 'publishEvent' as const), text, parcel),
  fc.tuple(
    id,
    fc.constant('take' as const),
    text,
    parcel,
    fc.record({
      before: fc.constantFrom(before, undefined),
      entries,
      reused: fc.option(issues, { nil: undefined }),
    }),
  ),
  fc.tuple(id, fc.constant('accept' as const), id, beside),
  fc.tuple(id, fc.constant('retry' as const), id, beside, fc.nat(), fc.boolean()),
  fc.tuple(id, fc.constant('deadLetter' as const), id, beside, text),
  fc.tuple(id, fc.constant('append' as const), entries),
  fc.tuple(
    id,
    fc.constant('append' as const),
    entries,
    fc.constant({ sender: 'edge', number: 7, heardBelow: 6 }),
  ),
  fc.tuple(id, fc.constant('release' as const), id),
  fc.tuple(id, fc.constant('declare' as const), text, text, fc.array(text), fc.boolean()),
  fc.tuple(id, fc.constant('consume' as const), text, id, id),
  fc.tuple(id, fc.constant('stop' as const), id, fc.boolean()),
  fc.tuple(id, fc.constant('depths' as const)),
  fc.tuple(
    id,
    fc.constant('parked' as const),
    fc.constantFrom({ limit: 1 }, { queue: 'q', limit: 9 }),
  ),
  fc.tuple(
    id,
    fc.constant('held' as const),
    fc.constantFrom(undefined, { queue: 'q', held: '[]' }, { queue: 'q', held: '[]', place: 7 }),
  ),
  fc.tuple(id, fc.constant('states' as const), fc.array(text)),
);

const delivery = fc.tuple(id, id, fc.boolean(), parcel, fc.constant('queued' as const));
const response: fc.Arbitrary<Response> = fc.record({
  done: fc.array(id),
  values: fc.array(
    fc.tuple(
      id,
      fc.constantFrom(undefined, null, 1n, new Map([['id', 'queued']]), buildEnvelope()),
    ),
  ),
  failed: fc.array(
    fc.tuple(
      id,
      fc.record({ errorClass: fc.constant('transient' as const), code: text, message: text }),
    ),
  ),
  deliveries: fc.array(delivery),
});

/** As a socket hands it on. */
const pass = (content: Parameters<typeof toFrame>[0]) => {
  const [read] = new FrameReader().read(toFrame(content));
  if (read === undefined) throw new Error('Expected a frame.');
  return read;
};

it('reads the requests that were written', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 5 }), (requests) => {
      expect(readRequests(pass(writeRequests(requests)))).toEqual(requests);
    }),
  );
});

it('reads the response that was written', () => {
  fc.assert(
    fc.property(response, (written) => {
      expect(readResponse(pass(writeResponse(written)))).toEqual(written);
    }),
  );
});

it('writes a body once, however often it is spoken of', () => {
  const envelope = buildEnvelope();
  const { attachments } = writeRequests([
    [1, 'publish', 'in', ['id', 1, '{}', envelope.body]],
    [2, 'append', [{ type: 'message', envelope }]],
  ]);
  expect(attachments).toEqual([envelope.body]);
});

it.each([
  ['is cut short', { text: '[[1,"publish","in",["id",1,"{}",0]]]', attachments: [] }],
  ['is no JSON', { text: '[', attachments: [] }],
])('throws on what %s', (_, content) => {
  expect(() => readRequests(content)).toThrow();
});
