import { formatPath, type Path } from './path.ts';
import type { Delimiters, Hl7Message, Segment } from './message.ts';
import type { SegmentChange } from './segment-changes.ts';

/** A place at which two messages differ, with what stands there in each, as it is written; absent: nothing does. */
export interface Difference {
  /** `PID-3[2].4`; `OBX[3]` where a whole segment is in one of them alone. */
  readonly location: string;
  readonly before?: string;
  readonly after?: string;
}

/**
 * Where two messages differ, in the order of the text: by segment of a name and its number among them, field,
 * repetition and component. A segment that was put in shifts those of its name behind it, which then differ as well.
 */
export function compareMessages(before: Hl7Message, after: Hl7Message): readonly Difference[] {
  const differences: Difference[] = [];
  for (const segment of after.segments) {
    const other = before.segmentsNamed(segment.name)[segment.occurrence - 1];
    const isOnly = isOnlyOne(before, after, segment.name);
    const path: Path = {
      segment: segment.name,
      ...(isOnly ? {} : { occurrence: segment.occurrence }),
    };
    if (other === undefined) {
      differences.push({ location: formatPath(path), after: textOf(after, segment) });
    } else {
      differences.push(...compareSegments(path, [before, other], [after, segment]));
    }
  }
  for (const segment of before.segments) {
    if (after.segmentsNamed(segment.name)[segment.occurrence - 1] !== undefined) continue;
    const path: Path = {
      segment: segment.name,
      ...(isOnlyOne(before, after, segment.name) ? {} : { occurrence: segment.occurrence }),
    };
    differences.push({ location: formatPath(path), before: textOf(before, segment) });
  }
  return differences;
}

/** The same of one segment's change; `encoding`: MSH-1 and MSH-2 before and after. */
export function compareSegmentChange(
  [segment, occurrence, first, before, after]: SegmentChange,
  encoding: readonly [before: string, after: string],
): readonly Difference[] {
  const path: Path = { segment, ...(occurrence === 0 ? {} : { occurrence }) };
  if (first === 0 || before === null || after === null) {
    return [
      {
        location: formatPath(path),
        ...(before === null ? {} : { before }),
        ...(after === null ? {} : { after }),
      },
    ];
  }
  const [one, other] = [
    divide(before, encoding[0].charAt(0)),
    divide(after, encoding[1].charAt(0)),
  ];
  const count = Math.max(one.length, other.length);
  const marks = levels(toMarks(encoding[0]), toMarks(encoding[1]));
  return Array.from({ length: count }, (_, index) => {
    const field = first + index;
    const isDelimiters = field <= 2 && segment === 'MSH';
    return compareParts({ ...path, field }, [one[index], other[index]], isDelimiters ? [] : marks);
  }).flat();
}

type Marks = Pick<Delimiters, 'repetition' | 'component'>;

function toMarks(encoding: string): Marks {
  return { component: encoding.charAt(1), repetition: encoding.charAt(2) };
}

type Side = readonly [message: Hl7Message, segment: Segment];

function compareSegments(path: Path, before: Side, after: Side): readonly Difference[] {
  if (textOf(...before) === textOf(...after)) return [];
  const differences: Difference[] = [];
  const fields = Math.max(before[1].fieldCount, after[1].fieldCount);
  for (let field = 1; field <= fields; field += 1) {
    const isDelimiters = field <= 2 && before[1].name === 'MSH';
    differences.push(
      ...compareParts(
        { ...path, field },
        [fieldOf(before, field), fieldOf(after, field)],
        isDelimiters ? [] : levels(before[0].delimiters, after[0].delimiters),
      ),
    );
  }
  return differences;
}

/** By which mark a value is divided in each message, and what its parts are called; outermost first. */
type Level = readonly [name: 'repetition' | 'component', before: string, after: string];

function levels(one: Marks, other: Marks): Level[] {
  return [
    ['repetition', one.repetition, other.repetition],
    ['component', one.component, other.component],
  ];
}

function compareParts(
  path: Path,
  [before, after]: readonly [before: string | undefined, after: string | undefined],
  [level, ...inner]: readonly Level[],
): readonly Difference[] {
  if ((before ?? '') === (after ?? '')) return [];
  if (level === undefined || before === undefined || after === undefined) {
    return [
      {
        location: formatPath(path),
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      },
    ];
  }
  const [name, markBefore, markAfter] = level;
  const partsBefore = divide(before, markBefore);
  const partsAfter = divide(after, markAfter);
  const count = Math.max(partsBefore.length, partsAfter.length);
  if (count === 1) return compareParts(path, [before, after], inner);
  return Array.from({ length: count }, (_, index) =>
    compareParts({ ...path, [name]: index + 1 }, [partsBefore[index], partsAfter[index]], inner),
  ).flat();
}

function divide(value: string, mark: string): readonly string[] {
  return mark === '' ? [value] : value.split(mark);
}

function fieldOf([message, segment]: Side, field: number): string | undefined {
  const range = segment.fieldRange(field);
  return range && message.text.slice(range.start, range.end);
}

function textOf(message: Hl7Message, { range }: Segment): string {
  return message.text.slice(range.start, range.end);
}

function isOnlyOne(before: Hl7Message, after: Hl7Message, name: string): boolean {
  return before.segmentsNamed(name).length <= 1 && after.segmentsNamed(name).length <= 1;
}
