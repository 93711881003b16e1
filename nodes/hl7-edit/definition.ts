import { parsePathExpression } from '../../core/hl7v2/parse-path.ts';
import { buildIssue, findListIssues, textOf, type Contribute } from '../shared/contribution.ts';

export const type = 'hl7 edit';

export const actions = ['set', 'append', 'remove'] as const;
type Action = (typeof actions)[number];

/** Where a value comes from: the text itself, a property of `msg`, or another place of the message. */
export const sources = ['text', 'msg', 'path'] as const;
type Source = (typeof sources)[number];

/** One edit, as the editor stores it; `remove` needs no value. */
export interface Edit {
  readonly action: Action;
  readonly path: string;
  readonly source: Source;
  /** The text, the property (`patient.id`), or the path. */
  readonly value: string;
}

/** Configuration as the editor stores it. */
export interface Hl7EditConfig {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** What follows when the place or the value of an edit is not there. */
  readonly missing: 'fail' | 'skip';
}

export const defaults: Hl7EditConfig = {
  name: '',
  edits: [{ action: 'set', path: '', source: 'text', value: '' }],
  missing: 'fail',
};

/** What can be wrong with an edit; the editor's catalog has a text for each. */
export type EditProblem = 'path-invalid' | 'property-missing' | 'source-invalid' | 'segment-source';

/** The first thing that is wrong with an edit; undefined where nothing is. */
export function findEditProblem({ action, path, source, value }: Edit): EditProblem | undefined {
  const place = parsePathExpression(path.trim());
  if (!place.ok) return 'path-invalid';
  if (action === 'remove') return undefined;
  if (action === 'set' && place.path.field === undefined) return 'path-invalid';
  if (source === 'msg') return value.trim() === '' ? 'property-missing' : undefined;
  if (source === 'text') return undefined;
  const from = parsePathExpression(value.trim());
  if (!from.ok) return 'source-invalid';
  return (from.path.field === undefined) === (place.path.field === undefined)
    ? undefined
    : 'segment-source';
}

const problems: Readonly<Record<EditProblem, string>> = {
  'path-invalid': 'expected a path to a field, such as PID-5.1, found something else',
  'property-missing': 'expected the name of a property of msg, found none',
  'source-invalid': 'expected a path to copy from, such as PID-3[type=MR], found something else',
  'segment-source': 'expected two paths to fields, or two paths to segments, found one of each',
};

/** Nothing at the edge; a deploy checks its edits: a faulty one would fail every message. */
export const contribute: Contribute = (node) => {
  const edits = node['edits'] as readonly Edit[] | undefined;
  const check = { what: 'edit', findProblem: findEditProblem, texts: problems };
  const issues = [...findListIssues(node, edits, check)];
  const missing = textOf(node['missing']);
  if (missing !== '' && missing !== 'fail' && missing !== 'skip') {
    issues.push(buildIssue(node, 'choice-invalid', 'missing: expected fail or skip'));
  }
  return issues.length === 0 ? {} : { issues };
};
