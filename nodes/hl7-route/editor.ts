import { fitList } from '../editor/list-row.ts';
import type { EditorNode } from '../editor/red.ts';
import { colors, registerNode } from '../editor/register.ts';
import {
  defaults,
  findRuleProblem,
  toLabel,
  type,
  type Hl7RouteConfig,
  type Operator,
  type Rule,
} from './definition.ts';
import { buildRow, numberRows, readRow } from '../editor/rule-row.ts';

/** What the list keeps of a rule: where it was when the dialog was opened, or a name of its own. */
interface Entry {
  readonly rule: Rule;
  readonly port: string;
}

const list = () => $('#hl7-route-rules');

registerNode<Hl7RouteConfig>(type, {
  color: colors.step,
  icon: 'font-awesome/fa-code-fork',
  inputs: 1,
  outputs: defaults.outputs,
  defaults,
  validate: {
    rules(value) {
      const problems = (value as readonly Rule[]).flatMap((rule, index) => {
        const problem = findRuleProblem(rule);
        return problem === undefined ? [] : [{ index, problem }];
      });
      const [first] = problems;
      if (first === undefined) return true;
      const problem = this._(`hl7-route.problem.${first.problem}`);
      return this._('hl7-route.rule', { number: first.index + 1, problem });
    },
  },
  outputLabels(index) {
    const rule = this.rules[index];
    if (rule === undefined) return this._('hl7-route.otherwise');
    return toLabel(rule, (operator: Operator) => this._(`hl7-route.operator.${operator}`));
  },
  shownAs: () => type,
  oneditprepare() {
    prepareRules(this);
  },
  oneditsave() {
    this.rules = rows().map((row) => readRow($(row)));
    this.all = $('#hl7-route-all').val() === 'all';
  },
  oneditresize(size) {
    fitList(list(), '.hl7-route-rules-row', size);
  },
});

function prepareRules(node: EditorNode & Hl7RouteConfig): void {
  let added = 0;
  const removed = new Set<string>();
  const showPorts = (): void => {
    numberRows(rows());
    $('#node-input-outputs').val(JSON.stringify(mapPorts(removed, node.rules.length)));
  };
  list().editableList<Partial<Entry>>({
    addItem(container, _index, entry) {
      const rule = entry.rule ?? { kind: 'type', value: '' };
      const port = entry.port ?? `new-${(added += 1)}`;
      container.data('port', port);
      buildRow(container, rule, (key) => node._(`hl7-route.${key}`));
      showPorts();
    },
    removeItem(entry) {
      if (entry.port !== undefined) removed.add(entry.port);
      showPorts();
    },
    sortItems: showPorts,
    addButton: node._('hl7-route.addRule'),
    sortable: true,
    removable: true,
  });
  node.rules.forEach((rule, index) => {
    list().editableList('addItem', { rule, port: String(index) } satisfies Entry);
  });
  $('#hl7-route-all').val(node.all ? 'all' : 'first');
}

function rows(): readonly HTMLElement[] {
  return list().editableList('items').toArray();
}

/**
 * Where each old output went, as Node-RED moves the wires by it: `-1` is gone, a name that is no number
 * is new. "Otherwise" stays the last.
 */
function mapPorts(removed: ReadonlySet<string>, otherwise: number): Record<string, number> {
  const ports: Record<string, number> = {};
  for (const port of removed) ports[port] = -1;
  const current = rows().map((row) => String($(row).data('port')));
  for (const [index, port] of current.entries()) ports[port] = index;
  ports[String(otherwise)] = current.length;
  return ports;
}
