/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const placeholder = /\$\{([^{}\s]+)\}/g;

/**
 * The text with every `${NAME}` replaced by the variable's value, anywhere in it: as in Node-RED's node
 * properties, which replace a whole value only. A name that is not set stays as it stands, for
 * {@link findPlaceholders} to report: an empty host or port would be a fault that nobody sees.
 */
export function resolveEnv(value: string, environment: Environment): string {
  return value.replace(placeholder, (whole, name: string) => environment[name] ?? whole);
}

/** The names in `${NAME}` that the text refers to, in order. */
export function findPlaceholders(value: string): readonly string[] {
  return [...value.matchAll(placeholder)].map((match) => match[1] ?? '');
}
