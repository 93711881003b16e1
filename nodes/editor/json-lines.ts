/** One line of JSON as people read it. */
export interface JsonLine {
  readonly json: string;
  /** The path of what stands in it: `Bundle.entry[0].resource.gender`. */
  readonly path: string;
}

/** A value as JSON, two blanks a level, each line with the path of what it shows. */
export function toJsonLines(value: unknown, path: string): readonly JsonLine[] {
  return write(value, { path, before: '', after: '', indent: '' });
}

/** An HL7 v2 message, a line a segment with its name, from the second of a name on with its number: `OBX[2]`. */
export function toSegmentLines(message: string): readonly JsonLine[] {
  const counts = new Map<string, number>();
  return message
    .split('\r')
    .filter((line) => line !== '')
    .map((json) => {
      const name = json.slice(0, 3);
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return { json, path: count === 1 ? name : `${name}[${count}]` };
    });
}

interface Place {
  readonly path: string;
  /** `"gender": ` */
  readonly before: string;
  /** The comma, where more follows. */
  readonly after: string;
  readonly indent: string;
}

function write(value: unknown, { path, before, after, indent }: Place): readonly JsonLine[] {
  if (typeof value !== 'object' || value === null) {
    return [{ json: `${indent}${before}${JSON.stringify(value)}${after}`, path }];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const lines = entries.flatMap(([key, inner]: [string, unknown], index) =>
    write(inner, {
      path: isList ? `${path}[${key}]` : `${path}.${key}`,
      before: isList ? '' : `${JSON.stringify(key)}: `,
      after: index < entries.length - 1 ? ',' : '',
      indent: `${indent}  `,
    }),
  );
  const [open, close] = isList ? '[]' : '{}';
  return [
    { json: `${indent}${before}${open ?? ''}`, path },
    ...lines,
    { json: `${indent}${close ?? ''}${after}`, path },
  ];
}
