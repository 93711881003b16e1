import { isPlainObject } from '../target.ts';
import { type ElementStep, type Node, parseElementPath, readElements } from './node.ts';
import type { ReverseRun, Taken } from './run.ts';

/** A resource or element that a part of the message is made of, and what of it has been taken. */
export interface Subject {
  readonly node: Node;
  readonly taken: Taken;
}

/** What labels are at a place of the message: those of the groups around it too. */
export type Scope = ReadonlyMap<string, Subject>;

/** Finds what a part is made of, in order, each once. */
export type Select = (run: ReverseRun, scope: Scope) => readonly Node[];

const shape =
  /^(?:@([A-Za-z0-9_-]+)|([A-Z][A-Za-z]+))(?:\.([A-Za-z0-9_.[\]*+]+))?(?:(!?)=@([A-Za-z0-9._-]+)|~@([A-Za-z0-9_-]+)\.([A-Za-z0-9_.[\]*+]+))?$/;

/**
 * Compiles a selector: `Observation` (all of the Bundle), `@report` (what has that label), `@report.result` (what is
 * there, references followed), `Observation.encounter=@visit` (those that refer to it), `Observation.subject` (what
 * they refer to), `Observation.subject!=@patient` (those that refer to another one there, not those that refer to none),
 * `RelatedPerson.name~@contact.name` (those that have the same there). A type within a path goes on in
 * what is referred to, of that type alone: `@order.supportingInfo.DiagnosticReport.basedOn`. What two find is between
 * ` & `. Of several, the first that finds anything counts.
 */
export function compileSelect(
  texts: string | readonly string[],
  report: (message: string) => void,
): Select {
  const selects = (typeof texts === 'string' ? [texts] : texts).map((text) =>
    toBoth(text.split(/\s+&\s+/).map((one) => compileOne(one, report))),
  );
  return (run, scope) => {
    for (const select of selects) {
      const found = select(run, scope);
      if (found.length > 0) return found;
    }
    return [];
  };
}

/** What all of them find, in the order of the first. */
function toBoth([first = () => [], ...others]: readonly Select[]): Select {
  if (others.length === 0) return first;
  return (run, scope) => {
    const paths = others.map((one) => new Set(one(run, scope).map(({ path }) => path)));
    return first(run, scope).filter(({ path }) => paths.every((found) => found.has(path)));
  };
}

function compileOne(text: string, report: (message: string) => void): Select {
  const [whole, label, type, path, not, other, like, likePath] = shape.exec(text) ?? [];
  const read = compileRead(path ?? '$this');
  const readLike = compileRead(likePath ?? '$this');
  const isFiltered = other !== undefined || like !== undefined;
  const isWrong = read === undefined || readLike === undefined;
  if (whole === undefined || isWrong || (isFiltered && type === undefined)) {
    report(
      `${text} selects nothing: expected Observation, @label, @label.path, Observation.path=@label, Observation.path!=@label or Observation.path~@label.path`,
    );
    return () => [];
  }
  return (run, scope) => {
    const starts = type === undefined ? findLabelled(scope, label) : run.input.ofType(type);
    const from = (node: Node): readonly Node[] => read(run, node);
    if (other !== undefined) {
      const is = not === '!' ? isOther : isSame;
      return findReferring(starts, from, { run, subject: scope.get(other), is });
    }
    if (like !== undefined) {
      const found = findLabelled(scope, like).flatMap((node) => readLike(run, node));
      return findAlike(starts, from, new Set(found.map(toComparable)));
    }
    return unique(starts.flatMap((node) => from(node).map((one) => follow(run, one))));
  };
}

type Read = (run: ReverseRun, node: Node) => readonly Node[];

/** The steps up to a type, and those from what is referred to on, where it is of that type. */
function compileRead(path: string): Read | undefined {
  const hops = path.split(/\.(?=[A-Z])/).map((part, index) => {
    const [first = '', ...rest] = part.split('.');
    const type = index === 0 ? undefined : first;
    return { type, steps: parseElementPath(index === 0 ? part : rest.join('.') || '$this') };
  });
  if (hops.some(({ steps }) => steps === undefined)) return undefined;
  const parsed = hops.map(({ type, steps = [] }) => ({ type, steps: steps.map(toAll) }));
  return (run, node) =>
    parsed.reduce<readonly Node[]>(
      (nodes, { type, steps }) =>
        nodes
          .map((one) => (type === undefined ? one : follow(run, one)))
          .filter((one) => type === undefined || isOfType(one, type))
          .flatMap((one) => readElements(one, steps)),
      [node],
    );
}

const isOfType = ({ value }: Node, type: string): boolean =>
  isPlainObject(value) && value['resourceType'] === type;

/** A list is taken whole where no item is named. */
const toAll = ({ name, index }: ElementStep): ElementStep => ({ name, index: index ?? 'all' });

function findLabelled(scope: Scope, label: string | undefined): readonly Node[] {
  const subject = label === undefined ? undefined : scope.get(label);
  return subject === undefined ? [] : [subject.node];
}

function follow(run: ReverseRun, node: Node): Node {
  return run.input.resolve(node) ?? node;
}

interface Referred {
  readonly run: ReverseRun;
  readonly subject: Subject | undefined;
  readonly is: (run: ReverseRun, reference: Node, node: Node) => boolean;
}

function findReferring(
  starts: readonly Node[],
  read: (node: Node) => readonly Node[],
  { run, subject, is }: Referred,
): readonly Node[] {
  if (subject === undefined) return [];
  return starts.filter((node) => read(node).some((reference) => is(run, reference, subject.node)));
}

/** Those that have one of the texts at the path. */
function findAlike(
  starts: readonly Node[],
  read: (node: Node) => readonly Node[],
  texts: ReadonlySet<string>,
): readonly Node[] {
  return starts.filter((node) => read(node).some((one) => texts.has(toComparable(one))));
}

const toComparable = ({ value }: Node): string => JSON.stringify(value);

/** A reference to a resource that is not in the Bundle is known by its text. */
function isSame(run: ReverseRun, reference: Node, node: Node): boolean {
  const found = findTarget(run, reference);
  if (found !== undefined) return found.path === node.path;
  const { value } = reference;
  return (
    isPlainObject(value) &&
    isPlainObject(node.value) &&
    typeof value['reference'] === 'string' &&
    value['reference'] === node.value['reference']
  );
}

/** What says nobody, or somebody without a reference, is of no other. */
function isOther(run: ReverseRun, reference: Node, node: Node): boolean {
  const { value } = reference;
  const isKnown =
    findTarget(run, reference) !== undefined ||
    (isPlainObject(value) && typeof value['reference'] === 'string');
  return isKnown && !isSame(run, reference, node);
}

/** A path that ends with a type has gone to the resource already. */
function findTarget(run: ReverseRun, node: Node): Node | undefined {
  const { value } = node;
  const isResource = isPlainObject(value) && typeof value['resourceType'] === 'string';
  return isResource ? node : run.input.resolve(node);
}

function unique(nodes: readonly Node[]): readonly Node[] {
  const known = new Set<string>();
  return nodes.filter((node) => {
    const { value } = node;
    // Two references to one that is not there are of the same.
    const isOpen = isPlainObject(value) && value['resourceType'] === undefined;
    const reference: unknown = isOpen ? value['reference'] : undefined;
    const key = typeof reference === 'string' ? reference : node.path;
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}

/** One that has a label already is the same, with what was taken of it. */
export function toSubject(node: Node, scope: Scope): Subject;
export function toSubject(node: Node | undefined, scope: Scope): Subject | undefined;
export function toSubject(node: Node | undefined, scope: Scope): Subject | undefined {
  if (node === undefined) return undefined;
  return (
    [...scope.values()].find((known) => known.node.path === node.path) ?? { node, taken: new Set() }
  );
}

/** Adds the labels that a part or a message declares to those around it. */
type Labels = (run: ReverseRun, scope: Scope) => Scope;

/** Compiles labels, each of which may build on those before it. */
export function compileLabels(
  labels: Readonly<Record<string, string | readonly string[]>> | undefined,
  report: (message: string) => void,
): Labels {
  const selects = Object.entries(labels ?? {}).map(
    ([name, texts]) => [name, compileSelect(texts, report)] as const,
  );
  return (run, scope) =>
    selects.reduce(
      (known, [name, select]) => label(known, name, toSubject(select(run, known)[0], known)),
      scope,
    );
}

/** The scope with one label more, where there is what it is for. */
export function label(scope: Scope, name: string | undefined, subject: Subject | undefined): Scope {
  return name === undefined || subject === undefined ? scope : new Map([...scope, [name, subject]]);
}
