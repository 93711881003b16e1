import { buildInput, buildSelect, fitList } from '../editor/list-row.ts';
import { colors, registerNode } from '../editor/register.ts';
import {
  actions,
  defaults,
  findEditProblem,
  sources,
  type,
  type Edit,
  type Hl7EditConfig,
} from './definition.ts';

const list = () => $('#hl7-edit-edits');
const prefix = 'hl7-edit';

registerNode<Hl7EditConfig>(type, {
  color: colors.step,
  icon: 'font-awesome/fa-pencil',
  inputs: 1,
  outputs: 1,
  defaults,
  validate: {
    edits(value) {
      for (const [index, edit] of (value as readonly Edit[]).entries()) {
        const problem = findEditProblem(edit);
        if (problem === undefined) continue;
        const text = this._(`hl7-edit.problem.${problem}`);
        return this._('hl7-edit.edit', { number: index + 1, problem: text });
      }
      return true;
    },
  },
  shownAs: (node) => {
    const [edit] = node.edits;
    const several = node.edits.length > 1 || edit === undefined || edit.path === '';
    return several ? type : `${node._(`hl7-edit.action.${edit.action}`)} ${edit.path}`;
  },
  oneditprepare() {
    list().editableList<Partial<Edit>>({
      addItem: (container, _index, edit) => {
        buildRow(container, { ...emptyEdit, ...edit }, (key) => this._(`hl7-edit.${key}`));
      },
      removeItem: () => undefined,
      sortItems: () => undefined,
      addButton: this._('hl7-edit.addEdit'),
      sortable: true,
      removable: true,
    });
    for (const edit of this.edits) list().editableList('addItem', edit);
  },
  oneditsave() {
    this.edits = rows().map((row) => readRow($(row)));
  },
  oneditresize(size) {
    fitList(list(), '.hl7-edit-edits-row', size);
  },
});

const emptyEdit: Edit = { action: 'set', path: '', source: 'text', value: '' };

function rows(): readonly HTMLElement[] {
  return list().editableList('items').toArray();
}

/** Fills one entry of the list; what a removal does not need is hidden. */
function buildRow(container: JQuery, edit: Edit, text: (key: string) => string): void {
  container.css({ display: 'flex', gap: '6px', 'align-items': 'center' });
  const named = (name: string) => `${prefix}-${name}`;
  const action = buildSelect(named('action'), actions, (name) => text(`action.${name}`));
  const path = buildInput(named('path'), text('placeholder.target')).css({ width: '150px' });
  const source = buildSelect(named('source'), sources, (name) => text(`source.${name}`));
  const value = buildInput(named('value'), '').css({ 'flex-grow': '1', 'min-width': '60px' });
  container.append(action.css({ width: '90px' }), path, source.css({ width: '95px' }), value);
  const show = (): void => {
    const needsValue = action.val() !== 'remove';
    source.toggle(needsValue);
    value.toggle(needsValue);
    value.attr('placeholder', text(`placeholder.${String(source.val())}`));
  };
  action.val(edit.action).on('change', show);
  source.val(edit.source).on('change', show);
  path.val(edit.path);
  value.val(edit.value);
  show();
}

/** The edit that an entry of the list shows. */
function readRow(row: JQuery): Edit {
  const read = (name: string): string => String(row.find(`.${prefix}-${name}`).val() ?? '');
  return {
    action: read('action') as Edit['action'],
    path: read('path').trim(),
    source: read('source') as Edit['source'],
    value: read('value'),
  };
}
