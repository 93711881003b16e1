import type { Usage } from '../../core/hl7v2/definitions/definitions.ts';
import type { DraftElement } from './draft.ts';

/** A field or component in a line, as in `CompactVersion.segments`: `CX|R|*|||0061|Patient Identifier List`. */
export function toElementLine(element: DraftElement): string {
  const { datatype, usage, max, minLength, maxLength, conformanceLength, isTruncatable } = element;
  return [
    datatype,
    usage === 'O' ? '' : usage,
    max === 1 ? '' : max === Infinity ? '*' : max,
    minLength === undefined ? (maxLength ?? '') : `${minLength}..${maxLength ?? ''}`,
    conformanceLength === undefined
      ? ''
      : `${conformanceLength}${isTruncatable === true ? '#' : '='}`,
    element.table ?? '',
    element.name.trim(),
  ].join('|');
}

/** The element of a line; what is empty has its default. */
export function parseElementLine(line: string): DraftElement {
  const [datatype = '', usage, max, length = '', conformance = '', table, ...name] =
    line.split('|');
  const [least, most] = length.includes('..') ? length.split('..') : ['', length];
  return {
    name: name.join('|'),
    datatype,
    usage: (usage || 'O') as Usage,
    max: max === '*' ? Infinity : Number(max || 1),
    minLength: toNumber(least),
    maxLength: toNumber(most),
    conformanceLength: toNumber(conformance.slice(0, -1)),
    isTruncatable: conformance.endsWith('#') ? true : undefined,
    table: table || undefined,
  };
}

const toNumber = (text: string | undefined): number | undefined =>
  text ? Number(text) : undefined;
