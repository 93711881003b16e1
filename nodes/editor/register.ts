import { textOf } from '../shared/contribution.ts';
import { findPlaceholders } from '../shared/environment.ts';
import type { FieldParser } from '../shared/fields.ts';
import type { EditorDefinition, EditorNode, EditorProperty } from './red.ts';

/** One calm colour for each part that a node plays in a flow. */
export const colors = {
  source: '#a9cdb9',
  step: '#b7c9e2',
  destination: '#e3cda4',
  reject: '#e2b5ae',
} as const;

type Given<C> = Omit<EditorDefinition<C>, 'category' | 'defaults' | 'labelStyle' | 'label'>;

interface Registration<C> extends Given<C> {
  readonly defaults: C;
  /** The parsers of the node's definition; what they refuse, the editor refuses with the reason. */
  readonly fields?: Partial<Record<keyof C, FieldParser<unknown>>>;
  /** For what a parser cannot tell alone. */
  readonly validate?: Partial<Record<keyof C, Validator>>;
  /** What a node without a name is called in the flow. */
  readonly shownAs: (node: EditorNode & C) => string;
}

/** Puts a node into the palette's Hilum group, its fields validated as the deploy will read them. */
export function registerNode<C extends { readonly name: string }>(
  type: string,
  { defaults, fields, validate, shownAs, ...rest }: Registration<C>,
): void {
  RED.nodes.registerType<C>(type, {
    category: 'Hilum',
    ...rest,
    defaults: Object.fromEntries(
      Object.entries(defaults).map(([name, value]) => [
        name,
        buildProperty(value, validate?.[name as keyof C] ?? toValidator(fields?.[name as keyof C])),
      ]),
    ) as EditorDefinition<C>['defaults'],
    label() {
      return this.name || shownAs(this);
    },
    labelStyle() {
      return this.name ? 'node_label_italic' : '';
    },
    oneditprepare() {
      showDefaults(this, defaults);
      rest.oneditprepare?.call(this);
    },
  });
}

/** A node that was made before it had a field shows the default, not an empty choice. */
function showDefaults(node: object, defaults: object): void {
  const stored = new Map<string, unknown>(Object.entries(node));
  for (const [name, value] of Object.entries(defaults)) {
    if (stored.get(name) === undefined) $(`#node-input-${name}`).val(String(value));
  }
}

type Validator = (this: EditorNode, value: unknown) => boolean | string;

function buildProperty(value: unknown, validate: Validator | undefined): EditorProperty<unknown> {
  if (validate === undefined) return { value };
  return {
    value,
    validate(entered, _options) {
      return validate.call(this, entered);
    },
  };
}

function toValidator(parse: FieldParser<unknown> | undefined): Validator | undefined {
  if (parse === undefined) return undefined;
  return function (this: EditorNode, entered) {
    const text = textOf(entered);
    const [first, ...others] = withStandIns(text).map((each) => parse(each));
    if (first === undefined || first.ok || others.some(({ ok }) => ok)) return true;
    return this._(`hilum.problem.${first.problem}`);
  };
}

/** A number, a path, an address, a fingerprint: one of them is what a variable may stand for. */
const standIns = ['1', '/1', '10.0.0.1', '0'.repeat(64)];

/** What variables stand for is only known where the flow runs: here each is taken for what it may be. */
function withStandIns(text: string): readonly string[] {
  const names = findPlaceholders(text);
  if (names.length === 0) return [text];
  return standIns.map((standIn) =>
    names.reduce((rest, name) => rest.replace(`\${${name}}`, standIn), text),
  );
}
