import { isPlainObject } from '../target.ts';
import type { Node } from './node.ts';

/** A resource of the input and the names by which references may find it. */
interface Known {
  readonly node: Node;
  readonly type: string;
}

/** The resources that a message is made of: of a Bundle its entries, else the one resource; contained ones too. */
export class Input {
  readonly resources: readonly Known[];
  readonly #byReference = new Map<string, Node>();

  constructor(input: unknown) {
    const resources: Known[] = [];
    const add = (value: unknown, path: string, fullUrl?: unknown): void => {
      if (!isPlainObject(value) || typeof value['resourceType'] !== 'string') return;
      const type = value['resourceType'];
      const node: Node = { value, path, parent: undefined };
      resources.push({ node, type });
      if (typeof fullUrl === 'string') this.#byReference.set(fullUrl, node);
      if (typeof value['id'] === 'string') this.#byReference.set(`${type}/${value['id']}`, node);
    };
    if (isPlainObject(input) && input['resourceType'] === 'Bundle') {
      const entries = Array.isArray(input['entry']) ? (input['entry'] as unknown[]) : [];
      entries.forEach((entry, index) => {
        if (isPlainObject(entry)) {
          add(entry['resource'], `Bundle.entry[${index}].resource`, entry['fullUrl']);
        }
      });
    } else if (isPlainObject(input)) {
      const type = input['resourceType'];
      add(input, typeof type === 'string' ? type : '');
    }
    this.resources = resources;
  }

  ofType(type: string): readonly Node[] {
    return this.resources.flatMap((known) => (known.type === type ? [known.node] : []));
  }

  /** What a Reference names: a contained resource, one of the Bundle by its URL, or by type and id. */
  resolve(reference: Node): Node | undefined {
    const { value } = reference;
    if (!isPlainObject(value) || typeof value['reference'] !== 'string') return undefined;
    const name = value['reference'];
    if (name.startsWith('#')) return findContained(reference, name.slice(1));
    const [, relative] =
      /(?:^|\/)([A-Z][A-Za-z]+\/[A-Za-z0-9.-]+)(?:\/_history\/.*)?$/.exec(name) ?? [];
    return this.#byReference.get(name) ?? this.#byReference.get(relative ?? '');
  }
}

function findContained(from: Node, id: string): Node | undefined {
  let root = from;
  while (root.parent !== undefined) root = root.parent;
  const list = isPlainObject(root.value) ? root.value['contained'] : undefined;
  if (!Array.isArray(list)) return undefined;
  const index = list.findIndex((one: unknown) => isPlainObject(one) && one['id'] === id);
  if (index < 0) return undefined;
  return { value: list[index] as unknown, path: `${root.path}.contained[${index}]`, parent: root };
}
