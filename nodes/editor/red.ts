/**
 * What Hilum's nodes use of Node-RED 5's editor, by its own names: @types/node-red still describes the
 * validators of version 2, which could not say why.
 */
export interface EditorNode {
  readonly id: string;
  readonly name: string;
  /** A text of the node's own catalog. */
  _(key: string, values?: Readonly<Record<string, string | number>>): string;
}

export interface EditorProperty<T> {
  readonly value: T;
  readonly required?: boolean;
  /** True, or the reason why not. Two declared parameters tell Node-RED that it may be a reason. */
  readonly validate?: (this: EditorNode, value: unknown, options: object) => boolean | string;
}

export interface EditorDefinition<C> {
  readonly category: string;
  readonly color: string;
  readonly icon: string;
  readonly align?: 'left' | 'right';
  readonly inputs: 0 | 1;
  readonly outputs: number;
  readonly defaults: { readonly [K in keyof C]: EditorProperty<C[K]> };
  readonly outputLabels?: (this: EditorNode & C, index: number) => string | undefined;
  readonly label: (this: EditorNode & C) => string;
  readonly labelStyle: (this: EditorNode & C) => string;
  readonly oneditprepare?: (this: EditorNode & C) => void;
  readonly oneditsave?: (this: EditorNode & { -readonly [K in keyof C]: C[K] }) => void;
  readonly oneditresize?: (this: EditorNode & C, size: { height: number; width: number }) => void;
}

/** One entry of an editable list: its own element, and what was given to `addItem`. */
interface ListOptions<T> {
  readonly addItem: (container: JQuery, index: number, data: T) => void;
  readonly removeItem: (data: T) => void;
  readonly sortItems: (items: JQuery) => void;
  readonly addButton: string;
  readonly sortable: boolean;
  readonly removable: boolean;
}

declare global {
  const RED: {
    readonly nodes: { registerType<C>(type: string, definition: EditorDefinition<C>): void };
  };
  /** Node-RED's own widget: a list whose entries can be added, moved and removed. */
  interface JQuery {
    editableList<T>(options: ListOptions<T>): this;
    editableList(action: 'addItem', data: object): void;
    editableList(action: 'items'): JQuery;
    editableList(action: 'height', height: number): void;
  }
}
