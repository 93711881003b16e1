import type { Issue } from '../../core/issue.ts';

interface StatusEvent {
  readonly id?: string;
  readonly status?: object;
}

/** As much as an editor shows below a node without covering others. */
const longestText = 60;

/** What the editor shows below the nodes: what the workers say of them, and why the last deploy was refused. */
export class NodeStatuses {
  readonly #emit: (event: StatusEvent) => void;
  /** What the worker last said of each node. */
  readonly #said = new Map<string, object>();
  #refused: ReadonlySet<string> = new Set();

  constructor(emit: (event: StatusEvent) => void) {
    this.#emit = emit;
  }

  /** A worker's node has another status. */
  show(event: StatusEvent): void {
    const { id, status } = event;
    if (id !== undefined) this.#said.set(id, status ?? {});
    if (id === undefined || !this.#refused.has(id)) this.#emit(event);
  }

  /** A deploy was refused for these reasons, each by node. */
  refuse(issues: readonly Issue[]): void {
    this.accept();
    const located = issues.filter(({ location }) => location !== undefined);
    this.#refused = new Set(located.map(({ location = '' }) => location));
    for (const { location = '', message } of located) {
      const text = message.length > longestText ? `${message.slice(0, longestText - 1)}…` : message;
      this.#emit({ id: location, status: { fill: 'red', shape: 'ring', text } });
    }
  }

  /** Nothing is refused any more: what the workers say is shown again. */
  accept(): void {
    const before = this.#refused;
    this.#refused = new Set();
    for (const id of before) this.#emit({ id, status: this.#said.get(id) ?? {} });
  }
}
