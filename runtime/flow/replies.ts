import type { Envelope, EnvelopeHeader } from '../../core/envelope.ts';
import { contentTypes } from '../../core/envelope.ts';
import { buildError } from '../../core/errors.ts';
import { readAcknowledgment } from '../../core/hl7v2/acknowledgment.ts';
import { readHeader, type Header } from '../../core/hl7v2/header.ts';
import { findResponseType } from '../../core/hl7v2/response-type.ts';
import { toVersionId } from '../../core/hl7v2/response.ts';
import type { Issue } from '../../core/issue.ts';
import type { Broker, Outgoing } from '../../core/ports/broker.ts';
import type { FlowMessage, FlowResponse, ReplyOutcome } from '../../core/ports/flow-runtime.ts';
import type { Ledger } from '../../core/ports/ledger.ts';
import { respond } from '../acknowledge.ts';
import type { Clock } from '../clock.ts';
import { toInstant } from '../ids.ts';
import type { Recorder } from '../recorder.ts';
import { buildResult, toReplyId, type Reply } from '../reply.ts';
import { buildOutbound, type InFlow } from './outbound.ts';

interface Options {
  readonly broker: Broker;
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** The followed message that a flow's message belongs to. */
  readonly findRun: (message: FlowMessage) => InFlow | undefined;
}

/** Answered, and perhaps to be run again by another worker: so many are remembered. */
const maxAnswered = 50_000;

/**
 * Answers to senders that wait for their message's flow: by the flow's own response, durable in the queue where the
 * edge waits before its node is done, or by how the flow ended. The same ids when a flow runs again: the edge gives
 * a sender the first that it gets.
 */
export class Replies {
  readonly #options: Options;
  /** Runs that have answered. */
  readonly #runs = new WeakSet<InFlow>();
  /** Messages that were answered and are not settled yet, by id. */
  readonly #answered = new Set<string>();
  readonly #declared = new Map<string, Promise<void>>();

  constructor(options: Options) {
    this.#options = options;
  }

  async reply(message: FlowMessage, response: FlowResponse): Promise<ReplyOutcome> {
    const inFlow = this.#options.findRun(message);
    const replyTo = inFlow?.envelope.replyTo;
    if (inFlow === undefined || replyTo === undefined) return { kind: 'unawaited' };
    if (this.#runs.has(inFlow)) return { kind: 'repeated' };
    this.#runs.add(inFlow);
    try {
      const made = this.#build(message, inFlow, response);
      const envelope = (await this.#findEarlier(inFlow)) ?? made;
      await this.#send(inFlow.envelope, replyTo, envelope);
      this.#note(inFlow.envelope.id);
      return { kind: 'answered', answer: describe(envelope) };
    } catch (error) {
      this.#runs.delete(inFlow);
      throw error;
    }
  }

  /**
   * What is to be made durable together with a message's settlement: how its flow ended, for whoever waits for that.
   * Nothing where nobody does, or where the flow has answered by itself. Call it once, when the flow is not run again.
   */
  async conclude(
    envelope: EnvelopeHeader,
    reply: Exclude<Reply, { kind: 'response' }>,
  ): Promise<readonly Outgoing[]> {
    const { replyTo } = envelope;
    if (replyTo === undefined || this.#answered.delete(envelope.id)) return [];
    await this.#declare(replyTo);
    return [{ queue: replyTo, envelope: buildResult(envelope, reply, this.#options.clock()) }];
  }

  #build(message: FlowMessage, inFlow: InFlow, response: FlowResponse): Envelope {
    const nowMs = this.#options.clock();
    const { envelope } = inFlow;
    const body =
      response.kind === 'acknowledgment'
        ? buildAcknowledgment(inFlow, response, nowMs)
        : buildOutbound(
            { ...message, contentType: contentTypes.hl7v2 },
            { nodeId: 'reply', inFlow, ordinal: 1, nowMs },
          ).body;
    const header = requireResponse(body);
    return {
      id: toReplyId(envelope.id),
      interface: envelope.interface,
      contentType: contentTypes.hl7v2,
      messageType: header.messageType,
      controlId: header.controlId,
      ...(envelope.key === undefined ? {} : { key: envelope.key }),
      correlationId: envelope.correlationId,
      causationId: envelope.id,
      receivedAt: toInstant(nowMs),
      attempt: 1,
      body,
    };
  }

  /** What an earlier run of the flow answered: its sender may have that already. */
  async #findEarlier({ envelope, redelivered }: InFlow): Promise<Envelope | undefined> {
    if (envelope.attempt === 1 && !redelivered) return undefined;
    return this.#options.ledger.read(toReplyId(envelope.id)).catch(() => undefined);
  }

  async #send(parent: Envelope, replyTo: string, envelope: Envelope): Promise<void> {
    const { broker, recorder } = this.#options;
    await this.#declare(replyTo);
    const summary = `answered by the flow: ${describe(envelope)}`;
    await broker.publish(replyTo, envelope);
    await recorder.write([
      { type: 'message', envelope },
      recorder.event(parent, { kind: 'sent', queue: replyTo, summary }),
      recorder.event(envelope, { kind: 'queued', queue: replyTo }),
    ]);
  }

  /** The edge has done it, unless its queue was deleted since: a message must not be given up for that. */
  #declare(queue: string): Promise<void> {
    const declaring =
      this.#declared.get(queue) ?? this.#options.broker.declare({ name: queue, interface: '' });
    this.#declared.set(queue, declaring);
    declaring.catch(() => this.#declared.delete(queue));
    return declaring;
  }

  #note(id: string): void {
    this.#answered.add(id);
    const [oldest] = this.#answered;
    if (this.#answered.size > maxAnswered && oldest !== undefined) this.#answered.delete(oldest);
  }
}

function buildAcknowledgment(
  { envelope }: InFlow,
  { code, text, type }: Extract<FlowResponse, { kind: 'acknowledgment' }>,
  nowMs: number,
): Uint8Array {
  const read = readHeader(envelope.body);
  const header = read.ok ? read.header : undefined;
  const standard = header === undefined || type === 'general' ? undefined : findType(header);
  return respond(header, {
    code,
    nowMs,
    issues: code === 'AA' || text === undefined ? [] : [toIssue(text)],
    ...(text === undefined ? {} : { text }),
    ...(standard === undefined ? {} : { type: standard }),
    ...(header !== undefined && isEnhanced(header) ? { acceptAcknowledgment: 'NE' } : {}),
  });
}

function findType(header: Header) {
  const [type = '', event = ''] = header.messageType.split('^');
  return findResponseType(type, event, toVersionId(header));
}

function isEnhanced(header: Header): boolean {
  return header.acceptAcknowledgment !== '' || header.applicationAcknowledgment !== '';
}

function toIssue(message: string): Issue {
  return { code: 'flow-refused', severity: 'error', message };
}

/** The header of what is to be a response. Throws where it is none: its sender could not tell what it answers. */
function requireResponse(body: Uint8Array): Header {
  const read = readHeader(body);
  if (read.ok && readAcknowledgment(body).code !== undefined) return read.header;
  throw buildError(
    'permanent',
    'reply-invalid',
    'Expected a response in msg.payload, an HL7 v2 message with MSH, and MSA with a code of table 0008 in MSA-1; found something else.',
  );
}

/** `RSP^K22 AA`. */
function describe({ messageType = '', body }: Envelope): string {
  const { code = '?' } = readAcknowledgment(body);
  return `${messageType.split('^').slice(0, 2).join('^')} ${code}`;
}
