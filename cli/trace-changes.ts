import type { ChangesView } from '../console/api/changes.ts';
import type { NodeChangesView, NodeStepView } from '../console/api/node-changes.ts';
import type { TraceView } from '../console/api/views.ts';
import type { Difference } from '../core/hl7v2/compare.ts';
import { toTable } from './engine.ts';

/** What changed, in the order of the trace: within the flow of each message by node, then from message to message. */
export function toChangesText({ messages }: TraceView, { steps, nodes }: ChangesView): string {
  const nameOf = (id: string): string => `#${messages.findIndex((each) => each.id === id) + 1}`;
  const byNode = nodes.map((each) => toNodesText(nameOf(each.messageId), each));
  const byMessage = steps.map((step) => {
    const { kind, contentTypes, bytes } = step;
    const head = `\n${nameOf(step.to)} from ${nameOf(step.from)}: `;
    if (kind === 'same') return `${head}the same ${bytes[0]} bytes\n`;
    if (kind === 'other') {
      const [before, after] = contentTypes;
      return `${head}${before} of ${bytes[0]} bytes became ${after} of ${bytes[1]} bytes\n`;
    }
    return `${head}${step.total} differences\n${toDifferencesText(step)}`;
  });
  return [...byNode, ...byMessage].join('');
}

function toNodesText(message: string, { attempt, steps, stepsLeftOut }: NodeChangesView): string {
  const run = attempt === 1 ? '' : `, attempt ${attempt}`;
  const more =
    stepsLeftOut === 0 ? '' : `\nand ${stepsLeftOut} more, for which there was no room\n`;
  return `\n${message} in its flow${run}, by node\n${steps.map(toStepText).join('')}${more}`;
}

function toStepText(step: NodeStepView): string {
  const { node, from, output, failed, bytesLeftOut } = step;
  const about = [
    `${node.type} ${node.name === undefined ? '' : `"${node.name}" `}(${node.id})`,
    ...(output === 1 ? [] : [`output ${output}`]),
    from === 0 ? 'of what came in' : `of ${from}`,
    ...(failed ? ['it failed after that'] : []),
  ];
  const left =
    bytesLeftOut === 0 ? '' : `and ${bytesLeftOut} bytes more, for which there was no room\n`;
  return `\n${step.step}. ${about.join(', ')}: ${toContentText(step)}${left}`;
}

function toContentText(step: NodeStepView): string {
  const { kind, forms, sizes, excerpt } = step;
  if (kind === 'fields') return `${step.total} differences\n${toDifferencesText(step)}`;
  const became = `${sizes[0]} of ${forms[0]} became ${sizes[1]} of ${forms[1]}`;
  if (excerpt === undefined) return `${became}, not compared\n`;
  const rows = [
    ['BEFORE', show(excerpt.before) || '(nothing)'],
    ['AFTER', show(excerpt.after) || '(nothing)'],
  ];
  return `${became}; behind the first ${excerpt.at}:\n${toTable(rows)}\n`;
}

/** On one line, with the ends of lines and all that a terminal would obey as escapes. */
function show(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (mark) => {
    const short = { '\r': '\\r', '\n': '\\n', '\t': '\\t' }[mark];
    return short ?? `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function toDifferencesText(of: {
  readonly differences: readonly Difference[];
  readonly total: number;
}): string {
  const { differences, total } = of;
  const rows = differences.map(({ location, before, after }) => [
    location,
    show(before ?? '(nothing)'),
    show(after ?? '(nothing)'),
  ]);
  const more = total > differences.length ? `\nand ${total - differences.length} more` : '';
  return `${toTable([['WHERE', 'BEFORE', 'AFTER'], ...rows])}${more}\n`;
}
