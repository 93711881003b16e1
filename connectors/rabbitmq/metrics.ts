import type { Logger } from '../../core/ports/logger.ts';

export interface QueueMetrics {
  readonly ready: number;
  readonly unacknowledged: number;
}

const timeoutMs = 3_000;
const families = 'family=queue_coarse_metrics';
const sample =
  /^rabbitmq_detailed_queue_messages_(ready|unacked)\{([^}]*)\} (\d+(?:\.\d+)?(?:e\+?\d+)?)$/;

/**
 * The counters of all queues from RabbitMQ's Prometheus endpoint (plugin `rabbitmq_prometheus`), of each node
 * that is given: a node tells of the queues that it leads. They are up to some seconds old.
 */
export class Metrics {
  readonly #urls: readonly string[];
  readonly #logger: Logger;
  #hasWarned = false;

  /** `urls`: those of the endpoints, such as `http://rabbit-1:15692`. */
  constructor(urls: readonly string[], vhost: string, logger: Logger) {
    this.#urls = urls.map((url) => {
      const base = url.replace(/\/+$/, '');
      return `${base}/metrics/detailed?${families}&vhost=${encodeURIComponent(vhost)}`;
    });
    this.#logger = logger;
  }

  /** By the queue's name on the server; undefined where an endpoint does not answer, which is told once. */
  async read(): Promise<ReadonlyMap<string, QueueMetrics> | undefined> {
    if (this.#urls.length === 0) return undefined;
    try {
      const texts = await Promise.all(this.#urls.map((url) => this.#fetch(url)));
      this.#hasWarned = false;
      return parseMetrics(texts.join('\n'));
    } catch (error) {
      if (!this.#hasWarned) {
        const reason = error instanceof Error ? error.message : '';
        this.#logger.warn(
          { reason },
          'The metrics of RabbitMQ (RABBITMQ_METRICS_URL) cannot be read; queues are counted one by one',
        );
      }
      this.#hasWarned = true;
      return undefined;
    }
  }

  async #fetch(url: string): Promise<string> {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.text();
  }
}

/** The counters by queue; where several nodes tell of one, the highest. */
function parseMetrics(text: string): ReadonlyMap<string, QueueMetrics> {
  const queues = new Map<string, QueueMetrics>();
  for (const line of text.split('\n')) {
    const [, kind, labels = '', value] = sample.exec(line) ?? [];
    const queue = /(?:^|,)queue="((?:[^"\\]|\\.)*)"/.exec(labels)?.[1];
    if (kind === undefined || queue === undefined) continue;
    const name = queue.replaceAll(/\\(.)/g, '$1');
    const known = queues.get(name) ?? { ready: 0, unacknowledged: 0 };
    const field = kind === 'ready' ? 'ready' : 'unacknowledged';
    queues.set(name, { ...known, [field]: Math.max(known[field], Number(value)) });
  }
  return queues;
}
