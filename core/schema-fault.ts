import type { ErrorObject } from 'ajv';
import { suggestMeant } from './suggest.ts';

/**
 * A fault that a JSON Schema finds in a file that people write, in words for them: what stands there and means nothing,
 * what is missing, what may stand there. Of ajv with `verbose`, which tells what words there are.
 */
export function describeFault(error: ErrorObject): string {
  const { keyword, message = 'is invalid' } = error;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (keyword) {
    case 'additionalProperties': {
      const word = String(params['additionalProperty']);
      const { properties = {} } = (error.parentSchema ?? {}) as { readonly properties?: object };
      const known = Object.keys(properties);
      const hint = suggestMeant(word, known) || `; expected ${known.join(', ')}`;
      return `"${word}" has no meaning here${hint}`;
    }
    case 'required':
      return `expected "${String(params['missingProperty'])}", found none`;
    case 'anyOf':
    case 'oneOf':
      return `expected ${toChoices(error.schema)}`;
    case 'enum':
      return `expected one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`;
    default:
      return message;
  }
}

/** `"source" and "target", or "extends" and "layer"`. */
function toChoices(schema: unknown): string {
  const branches = schema as readonly { readonly required?: readonly string[] }[];
  return branches
    .map(({ required = [] }) => required.map((word) => `"${word}"`).join(' and '))
    .join(', or ');
}

/** A failed choice reports each of its branches: where a plain reason exists, that one is enough. */
export function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const choices = new Set(['anyOf', 'oneOf']);
  const plain = errors.filter(
    ({ keyword, schemaPath }) => !choices.has(keyword) && !/\/(anyOf|oneOf)\//.test(schemaPath),
  );
  return plain.length > 0 ? plain : errors.filter(({ keyword }) => choices.has(keyword));
}

/** Why a text is no YAML, by the first thing that the parser says of it, with what is most often the reason. */
export function describeNoYaml(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reason = (text.split('\n')[0] ?? '').replace(/:$/, '');
  const isFlow = reason.includes('flow');
  const isPlace = /indent|sequence|implicit/.test(reason);
  const hint = isFlow
    ? '; inside { } a text with a comma or a bracket needs quotes'
    : isPlace
      ? '; what belongs together begins in the same column'
      : '';
  return `The file is no YAML: ${reason}${hint}`;
}
