import { Counter, Gauge, type Registry } from 'prom-client';
import type { HeldFigures } from './unmapped.ts';

/** Messages that are held for codes, in Prometheus' text. */
export class HeldMetrics {
  readonly #held: Gauge<'interface' | 'system'>;
  readonly #oldest: Gauge<'interface'>;
  readonly #released: Counter<'interface' | 'how'>;
  readonly #returned: Counter<'interface'>;
  readonly #putBack: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#held = new Gauge({
      name: 'hilum_held_messages',
      help: 'Messages that are held until a code is mapped, by the system of the first of their codes: a URI, local, none or other.',
      labelNames: ['interface', 'system'],
      registers,
    });
    this.#oldest = new Gauge({
      name: 'hilum_held_oldest_age_seconds',
      help: 'Age of the oldest message that is held until a code is mapped.',
      labelNames: ['interface'],
      registers,
    });
    this.#released = new Counter({
      name: 'hilum_held_released_total',
      help: 'Held messages that went on: mapped, again as somebody decided, or skip: given up.',
      labelNames: ['interface', 'how'],
      registers,
    });
    this.#returned = new Counter({
      name: 'hilum_held_returned_total',
      help: 'Held messages that went on and were held again.',
      labelNames: ['interface'],
      registers,
    });
    this.#putBack = new Counter({
      name: 'hilum_held_put_back_total',
      help: 'Released messages that a broker which was away had kept out of their queue.',
      registers,
    });
  }

  set({ held = [], oldest = [], released, returned, putBack }: HeldFigures, now: number): void {
    const all = [this.#held, this.#oldest, this.#released, this.#returned, this.#putBack];
    for (const metric of all) metric.reset();
    for (const { messages, ...labels } of held) this.#held.set(labels, messages);
    for (const { interface: owner, at } of oldest) {
      this.#oldest.set({ interface: owner }, Math.max(0, (now - Date.parse(at)) / 1_000));
    }
    for (const { count, ...labels } of released) this.#released.inc(labels, count);
    for (const { count, ...labels } of returned) this.#returned.inc(labels, count);
    this.#putBack.inc(putBack);
  }
}
