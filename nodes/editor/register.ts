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
  });
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
    const parsed = parse(withStandIns(textOf(entered)));
    return parsed.ok || this._(`hilum.problem.${parsed.problem}`);
  };
}

/** What variables stand for is only known where the flow runs: here a 1 takes the place of each. */
function withStandIns(text: string): string {
  return findPlaceholders(text).reduce((rest, name) => rest.replace(`\${${name}}`, '1'), text);
}
