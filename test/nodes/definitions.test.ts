import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FlowNode } from '../../core/interface.ts';
import { defaultAnswerPolicy } from '../../core/hl7v2/acknowledgment-outcome.ts';
import { contributors } from '../../nodes/definitions.ts';
import { answerPolicyDefaults } from '../../nodes/shared/acknowledgment.ts';
import { senderDefaults } from '../../nodes/shared/sender.ts';

const context = {
  interface: 'tab-1',
  defaults: { bind: '127.0.0.1' },
  env: {
    HILUM_MLLP_PORT: '2575',
    HILUM_EHR_PORT: '8103',
    HILUM_EHR_URL: 'http://127.0.0.1:8103/fhir/R4',
  },
};

function contribute(node: Omit<FlowNode, 'id'> & { type: string }) {
  const contributor = contributors[node.type];
  if (contributor === undefined) throw new Error(`No contributor for "${node.type}".`);
  return contributor({ id: 'n1', ...node }, context);
}

describe('what a node makes', () => {
  it('is a listener and its inbound queue for mllp in', () => {
    expect(
      contribute({
        type: 'mllp in',
        name: 'Lab',
        port: '${HILUM_MLLP_PORT}',
        acknowledge: 'validated',
        maxMessageMiB: '1',
        idleTimeoutSeconds: '90',
      }),
    ).toEqual({
      listeners: [
        {
          kind: 'mllp',
          id: 'n1',
          interface: 'tab-1',
          label: 'Lab',
          host: '127.0.0.1',
          port: 2575,
          acknowledge: 'validated',
          queue: 'in.n1',
          maxFrameBytes: 1_048_576,
          idleTimeoutMs: 90_000,
        },
      ],
      queues: [
        {
          name: 'in.n1',
          interface: 'tab-1',
          order: { lanes: 1 },
          keeps: 'key',
          onFailure: 'skip',
        },
      ],
    });
  });

  it('takes the defaults for what mllp in leaves empty, and a host of its own where it has one', () => {
    const { listeners } = contribute({ type: 'mllp in', host: ' [::1] ', port: 0 });
    expect(listeners?.[0]).toMatchObject({
      label: 'MLLP in on port 0',
      host: '::1',
      port: 0,
      acknowledge: 'received',
      maxFrameBytes: 16_777_216,
      idleTimeoutMs: 0,
    });
  });

  it('is the profile and the character set of mllp in, where it names some', () => {
    const node = { type: 'mllp in', port: '2575', profile: 'lab-results', charset: '8859/1' };
    expect(contribute(node).listeners?.[0]).toMatchObject({
      profile: 'lab-results',
      charset: '8859/1',
    });
  });

  it.each([
    ['a profile that does not exist', 'mllp in', { profile: 'nowhere' }, 'profile-unknown'],
    ['a profile that does not exist', 'hl7 validate', { profile: 'nowhere' }, 'profile-unknown'],
    ['a character set that does not exist', 'mllp in', { charset: 'klingon' }, 'charset-unknown'],
    ['a layer that does not exist', 'hl7 map', { layers: 'nobody' }, 'layer-unknown'],
    ['a type that has no map', 'hl7 map', { mapping: 'ZZZ^Z01' }, 'mapping-unknown'],
    ['another version', 'hl7 map', { pin: '0123456789abcdef' }, 'mapping-version-differs'],
    [
      'a table that does not exist',
      'code translate',
      { table: 'nothing', from: 'PID-8' },
      'table-unknown',
    ],
    ['a version that does not exist', 'hl7 validate', { version: '9' }, 'choice-invalid'],
    [
      'a version beside a profile',
      'hl7 validate',
      { version: '2.5', profile: 'adt' },
      'choice-invalid',
    ],
  ])('is refused for %s: %s', (_what, type, config, code) => {
    const { issues, listeners } = contribute({ type, port: '2575', ...config });
    expect(issues).toMatchObject([{ code, location: 'n1' }]);
    expect(listeners).toBeUndefined();
  });

  it('is how mllp in acknowledges and what it takes, where that is not the usual', () => {
    const { listeners } = contribute({
      type: 'mllp in',
      port: '2575',
      acknowledgmentMode: 'enhanced',
      sequenceNumbers: 'checked',
      sendingApplications: 'LAB^1.2.3^ISO, St. Mary*',
      messageTypes: 'ORU^R01,ADT^*\nMDM',
      processingIds: 'P, T^',
      versions: '2.3*, 2.5.1,',
    });
    expect(listeners?.[0]?.acknowledgment).toEqual({
      mode: 'enhanced',
      application: 'receiver',
      sequenceNumbers: 'checked',
      accepts: {
        sendingApplications: ['LAB^1.2.3^ISO', 'St. Mary*'],
        messageTypes: ['ORU^R01', 'ADT^*', 'MDM'],
        processingIds: ['P', 'T^'],
        versions: ['2.3*', '2.5.1'],
      },
    });
  });

  it('is how mllp out takes refusals, where that is not the usual', () => {
    const node = { type: 'mllp out', host: 'lab', port: '2576' };
    expect(contribute(node).senders?.[0]).not.toHaveProperty('acknowledgment');
    expect(contribute({ ...node, onError: 'retry' }).senders?.[0]).toMatchObject({
      acknowledgment: { ...defaultAnswerPolicy, onError: 'retry' },
    });
    expect(answerPolicyDefaults).toEqual(defaultAnswerPolicy);
  });

  it('is a sender and its outbound queue for fhir out, its address without a slash at the end', () => {
    expect(
      contribute({
        type: 'fhir out',
        baseUrl: 'http://127.0.0.1:${HILUM_EHR_PORT}/fhir/R4/',
        timeoutSeconds: '2.5',
        concurrency: '4',
        wires: [['x'], []],
      }),
    ).toEqual({
      senders: [
        {
          kind: 'fhir',
          id: 'n1',
          interface: 'tab-1',
          label: 'FHIR out to 127.0.0.1:8103',
          queue: 'out.n1',
          baseUrl: 'http://127.0.0.1:8103/fhir/R4',
          timeoutMs: 2500,
          concurrency: 4,
          order: 'none',
        },
      ],
      queues: [{ name: 'out.n1', interface: 'tab-1' }],
    });
  });

  it('is a sender whose queue is in order as it is told, and stops where it is told', () => {
    const node = { type: 'mllp out', host: 'lab', port: '2576' };
    const made = contribute({ ...node, order: 'key', concurrency: '8', onFailure: 'stop' });
    expect(made.senders?.[0]).toMatchObject({ order: 'key', concurrency: 8, onFailure: 'stop' });
    expect(made.queues).toEqual([
      {
        ...{ name: 'out.n1', interface: 'tab-1' },
        ...{ order: { lanes: 1 }, keeps: 'key', onFailure: 'stop' },
      },
    ]);
  });

  it.each([
    [undefined, 'queue'],
    ['1', 'queue'],
    ['2', 'none'],
  ])('is a sender of a flow without an order: at a time %s, it keeps %s', (concurrency, order) => {
    const node = { type: 'mllp out', host: 'lab', port: '2576' };
    const { senders, queues } = contribute({ ...node, ...(concurrency && { concurrency }) });
    expect(senders?.[0]).toMatchObject({ order });
    expect(queues?.[0]?.keeps).toBe(order === 'none' ? undefined : order);
  });

  it('is how a sender repeats, where that is not the usual', () => {
    const node = { type: 'mllp out', host: 'lab', port: '2576' };
    const usual = contribute({ ...node, ...senderDefaults }).senders?.[0];
    expect(usual).not.toHaveProperty('retry');
    expect(usual).not.toHaveProperty('breakerFailures');
    const told = {
      ...{ retryFirstSeconds: '0.5', retryFactor: '3', retryLongestSeconds: '600' },
      ...{ retryMaxAgeHours: '24', retryAmbiguous: '1', breakerFailures: '0' },
    };
    expect(contribute({ ...node, ...told }).senders?.[0]).toMatchObject({
      retry: {
        ...{ firstDelayMs: 500, factor: 3, maxDelayMs: 600_000 },
        ...{ maxAgeMs: 86_400_000, maxAmbiguousAttempts: 1 },
      },
      breakerFailures: 0,
    });
  });

  it.each([
    [{ order: 'queue', concurrency: '2' }, 'concurrency: expected 1 where all messages are in'],
    [{ order: 'none', concurrency: '2', onFailure: 'stop' }, 'onFailure: expected skip where no'],
  ])('is nothing where the settings of a sender do not go together: %p', (given, words) => {
    for (const node of [
      { type: 'mllp out', host: 'lab', port: '2576' },
      { type: 'fhir out', baseUrl: 'http://ehr.example.org' },
    ]) {
      const { issues, senders } = contribute({ ...node, ...given });
      expect(senders).toBeUndefined();
      expect(issues).toMatchObject([{ code: 'sender-order-invalid', location: 'n1' }]);
      expect(issues?.[0]?.message).toContain(words);
    }
  });

  it.each(['fhir out', 'mllp out'])(
    'has a queue for the answers when the second output of %s is wired',
    (type) => {
      const { senders, queues } = contribute({
        type,
        baseUrl: 'https://ehr.example.org',
        host: 'lab.example.org',
        port: '2576',
        wires: [[], ['y']],
      });
      expect(senders?.[0]).toMatchObject({
        answerQueue: 'answer.n1',
        timeoutMs: 30_000,
        concurrency: 1,
      });
      expect(queues?.map(({ name }) => name)).toEqual(['out.n1', 'answer.n1']);
    },
  );

  it('is a queue of the topic for queue out, unless it is told to keep no copies', () => {
    expect(contribute({ type: 'queue out', topic: 'lab.result', keep: true })).toEqual({
      queues: [{ name: 'event.lab.result', interface: 'tab-1', topics: ['lab.result'] }],
    });
    expect(contribute({ type: 'queue out', topic: 'lab.result', keep: false })).toEqual({});
  });

  it('is a subscribed queue of its own for queue in', () => {
    expect(contribute({ type: 'queue in', topic: 'lab.#' })).toEqual({
      queues: [{ name: 'sub.n1', interface: 'tab-1', topics: ['lab.#'] }],
    });
  });
});

describe('a node that is configured wrongly', () => {
  it.each([
    ['mllp in', { port: '' }, 'field-required'],
    ['mllp in', { port: '70000' }, 'port-invalid'],
    ['mllp in', { port: '25.75' }, 'port-invalid'],
    ['mllp in', { port: '2575', host: 'http://x' }, 'host-invalid'],
    ['mllp in', { port: '2575', acknowledge: 'maybe' }, 'choice-invalid'],
    ['mllp in', { port: '2575', maxMessageMiB: '0' }, 'number-invalid'],
    ['mllp in', { port: '2575', acknowledgmentMode: 'sometimes' }, 'choice-invalid'],
    ['mllp in', { port: '2575', messageTypes: 'ORU R01' }, 'entries-invalid'],
    ['mllp in', { port: '2575', sendingApplications: 'A|B' }, 'entries-invalid'],
    ['mllp in', { port: '2575', versions: '2.5.1, v2.3' }, 'entries-invalid'],
    ['mllp in', { port: '2575', processingIds: 'PROD' }, 'entries-invalid'],
    ['mllp out', { host: 'lab', port: '2576', onReject: 'never' }, 'choice-invalid'],
    ['mllp in', { port: '${NOT_SET}' }, 'placeholder-unset'],
    ['mllp out', { host: '', port: '2576' }, 'field-required'],
    ['mllp out', { host: 'lab', port: '0' }, 'port-invalid'],
    ['fhir out', { baseUrl: 'ehr.example.org/fhir' }, 'url-invalid'],
    ['fhir out', { baseUrl: 'http://ehr.example.org/fhir?x=1' }, 'url-invalid'],
    ['fhir out', { baseUrl: 'http://ehr.example.org', concurrency: '1.5' }, 'number-invalid'],
    ['queue out', { topic: 'lab.*' }, 'topic-invalid'],
    ['queue out', { topic: 'lab..result' }, 'topic-invalid'],
    ['queue in', { topic: 'lab.res*' }, 'pattern-invalid'],
  ])('%s with %j makes nothing and says why, and which node', (type, fields, code) => {
    const contribution = contribute({ type, ...fields });
    expect(contribution).toEqual({
      issues: [expect.objectContaining({ code, severity: 'error', location: 'n1' })],
    });
    expect(contribution.issues?.[0]?.message).toMatch(/^(mllp|fhir|queue) (in|out)[^:]*: /);
  });

  it('reports every field at once', () => {
    const { issues } = contribute({ type: 'mllp out', name: 'Lab', host: '', port: 'x' });
    expect(issues?.map(({ code }) => code)).toEqual(['field-required', 'port-invalid']);
  });
});

describe('the flow that Hilum starts with', () => {
  const file = path.resolve(import.meta.dirname, '../../flows/lab-results.json');
  const flow = JSON.parse(readFileSync(file, 'utf8')) as FlowNode[];

  it('is a tab, then its nodes in the order of their ids', () => {
    const [tab, ...nodes] = flow;
    expect(tab?.type).toBe('tab');
    expect(nodes.every(({ z }) => z === tab?.id)).toBe(true);
    const ids = nodes.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
  });

  it('wires only to nodes that are there', () => {
    const ids = new Set(flow.map(({ id }) => id));
    const targets = flow.flatMap(({ wires = [] }) => wires.flat());
    expect(targets.filter((id) => !ids.has(id))).toEqual([]);
  });

  it('makes one listener, one sender to the EHR and the queues between, without an issue', () => {
    const made = flow.flatMap((node) => contributors[node.type]?.(node, context) ?? []);
    expect(made.flatMap(({ issues = [] }) => issues)).toEqual([]);
    expect(made.flatMap(({ listeners = [] }) => listeners)).toMatchObject([
      { port: 2575, acknowledge: 'received' },
    ]);
    expect(made.flatMap(({ senders = [] }) => senders)).toMatchObject([
      { baseUrl: 'http://127.0.0.1:8103/fhir/R4' },
    ]);
    expect(made.flatMap(({ queues = [] }) => queues).map(({ name }) => name)).toEqual([
      'out.lab-results-ehr',
      'event.lab.result',
      'in.lab-results-mllp',
    ]);
  });
});
