/**
 * Where in the text of a message the field of a path stands: of `PID-3[2].4.1` or `OBX[3]-5` as far as the field goes, of
 * a segment's name the segment. Undefined where it is not there.
 */
export function findField(
  text: string,
  path: string,
): { readonly start: number; readonly end: number } | undefined {
  const match = /^([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+))?/.exec(path);
  if (match === null) return undefined;
  const [, name = '', occurrence = '1', number] = match;
  const lines = [...text.matchAll(/[^\r\n]+/g)].map((found) => ({
    line: found[0],
    start: found.index,
  }));
  const segment = lines.filter(({ line }) => line.startsWith(name))[Number(occurrence) - 1];
  if (segment === undefined) return undefined;
  const { line, start } = segment;
  if (number === undefined) return { start, end: start + line.length };
  // MSH-1 is the separator itself.
  const separator = lines[0]?.line[3] ?? '|';
  const index = name === 'MSH' ? Number(number) - 1 : Number(number);
  const fields = line.split(separator);
  const before = fields.slice(0, index).reduce((length, each) => length + each.length + 1, 0);
  const field = fields[index];
  return field === undefined
    ? undefined
    : { start: start + before, end: start + before + field.length };
}
