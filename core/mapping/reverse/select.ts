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
  /^(?:@([A-Za-z0-9_-]+)|([A-Z][A-Za-z]+))(?:\.([A-Za-z0-9_.[\]*+]+))?(?:=@([A-Za-z0-9._-]+)|~@([A-Za-z0-9_-]+)\.([A-Za-z0-9_.[\]*+]+))?$/;

/**
 * Compiles a selector: `Observation` (all of the Bundle), `@report` (what has that label), `@report.result` (what is
 * there, references followed), `Observation.encounter=@visit` (those that refer to it), `Observation.subject` (what
 * they refer to), `RelatedPerson.name~@contact.name` (those that have the same there). Of several, the first that finds
 * anything counts.
 */
export function compileSelect(
  texts: string | readonly string[],
  report: (message: string) => void,
): Select {
  const selects = (typeof texts === 'string' ? [texts] : texts).map((text) =>
    compileOne(text, report),
  );
  return (run, scope) => {
    for (const select of selects) {
      const found = select(run, scope);
      if (found.length > 0) return found;
    }
    return [];
  };
}

function compileOne(text: string, report: (message: string) => void): Select {
  const [whole, label, type, path, other, like, likePath] = shape.exec(text) ?? [];
  const steps = path === undefined ? [] : parseElementPath(path);
  const likeSteps = parseElementPath(likePath ?? '$this');
  const isFiltered = other !== undefined || like !== undefined;
  const isWrong = steps === undefined || likeSteps === undefined;
  if (whole === undefined || isWrong || (isFiltered && type === undefined)) {
    report(
      `${text} selects nothing: expected Observation, @label, @label.path, Observation.path=@label or Observation.path~@label.path`,
    );
    return () => [];
  }
  const all = steps.map(toAll);
  const allLike = likeSteps.map(toAll);
  return (run, scope) => {
    const starts = type === undefined ? findLabelled(scope, label) : run.input.ofType(type);
    if (other !== undefined) return findReferring(starts, all, { run, subject: scope.get(other) });
    if (like !== undefined) {
      return findAlike(starts, all, readTexts(findLabelled(scope, like), allLike));
    }
    return unique(starts.flatMap((node) => readElements(node, all).map((one) => follow(run, one))));
  };
}

/** A list is taken whole where no item is named. */
const toAll = ({ name, index }: ElementStep): ElementStep => ({ name, index: index ?? 'all' });

function findLabelled(scope: Scope, label: string | undefined): readonly Node[] {
  const subject = label === undefined ? undefined : scope.get(label);
  return subject === undefined ? [] : [subject.node];
}

function follow(run: ReverseRun, node: Node): Node {
  return run.input.resolve(node) ?? node;
}

function findReferring(
  starts: readonly Node[],
  steps: readonly ElementStep[],
  { run, subject }: { readonly run: ReverseRun; readonly subject: Subject | undefined },
): readonly Node[] {
  if (subject === undefined) return [];
  return starts.filter((node) =>
    readElements(node, steps).some((reference) => isSame(run, reference, subject.node)),
  );
}

const readTexts = (nodes: readonly Node[], steps: readonly ElementStep[]): ReadonlySet<string> =>
  new Set(nodes.flatMap((node) => readElements(node, steps).map(toComparable)));

/** Those that have one of the texts at the path. */
function findAlike(
  starts: readonly Node[],
  steps: readonly ElementStep[],
  texts: ReadonlySet<string>,
): readonly Node[] {
  return starts.filter((node) =>
    readElements(node, steps).some((one) => texts.has(toComparable(one))),
  );
}

const toComparable = ({ value }: Node): string => JSON.stringify(value);

/** A reference to a resource that is not in the Bundle is known by its text. */
function isSame(run: ReverseRun, reference: Node, node: Node): boolean {
  const found = run.input.resolve(reference);
  if (found !== undefined) return found.path === node.path;
  const { value } = reference;
  return (
    isPlainObject(value) &&
    isPlainObject(node.value) &&
    typeof value['reference'] === 'string' &&
    value['reference'] === node.value['reference']
  );
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
