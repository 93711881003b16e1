import type { Issue } from '../../core/issue.ts';
import type {
  FlowDestination,
  FlowMessage,
  FlowResponse,
  FlowRuntime,
  ReplyOutcome,
} from '../../core/ports/flow-runtime.ts';

/** A FlowRuntime that notes what the nodes ask of it. The real one, with its broker, is tested in test/e2e. */
export class RecordingRuntime implements FlowRuntime {
  readonly sent: (FlowDestination & { readonly payload: unknown })[] = [];
  readonly published: {
    readonly topic: string;
    readonly nodeId: string;
    readonly payload: unknown;
  }[] = [];
  readonly replies: FlowResponse[] = [];
  /** What a reply comes to. */
  outcome: ReplyOutcome = { kind: 'answered', answer: 'ACK^R01 AA' };
  readonly rejected: (readonly Issue[])[] = [];
  readonly consumers = new Map<string, (message: FlowMessage) => void>();
  readonly stateListeners: ((state: 'connected' | 'disconnected') => void)[] = [];
  /** What the next `send` or `publishEvent` rejects with. */
  failure: Error | undefined;

  consume(queue: string, send: (message: FlowMessage) => void) {
    this.consumers.set(queue, send);
    return {
      stop: () => {
        this.consumers.delete(queue);
      },
      onState: (listener: (state: 'connected' | 'disconnected') => void) => {
        this.stateListeners.push(listener);
      },
    };
  }

  async send(message: FlowMessage, destination: FlowDestination): Promise<void> {
    await this.#fail();
    this.sent.push({ ...destination, payload: message.payload });
  }

  async publishEvent(message: FlowMessage, topic: string, nodeId: string): Promise<void> {
    await this.#fail();
    this.published.push({ topic, nodeId, payload: message.payload });
  }

  async reply(_message: FlowMessage, response: FlowResponse): Promise<ReplyOutcome> {
    await this.#fail();
    this.replies.push(response);
    return this.outcome;
  }

  reject(_message: FlowMessage, issues: readonly Issue[]): void {
    this.rejected.push(issues);
  }

  #fail(): Promise<void> {
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }
}
