import type { ConditionContext, Usage } from '../definitions/definitions.ts';
import { toPath } from '../parse-path.ts';
import type { ElementCheck } from './element-check.ts';
import type { Scan } from './scan.ts';

/** The usage of an element, where it hangs on a condition what that comes to for this segment. */
export function findUsage(scan: Scan, { usage, condition }: ElementCheck): Usage {
  if (condition === undefined) return usage;
  return condition.holds(toContext(scan)) ? condition.then : condition.otherwise;
}

/**
 * `3.1` is a place in the segment that is being checked, `MSH-9.2` one in the message. Where a component is
 * being checked, another one of its field is that of the same repetition. Each is read once, since a condition
 * may be asked of every repetition.
 */
function toContext(scan: Scan): ConditionContext {
  const isFilled = (value: string): boolean => value !== '';
  return {
    all(path) {
      if (!/^\d/.test(path)) {
        const known = (scan.messageValues ??= new Map<string, readonly string[]>());
        return remember(known, path, () => scan.message.all(path).filter(isFilled));
      }
      const known = (scan.segmentValues ??= new Map<string, readonly string[]>());
      if (scan.component > 0 && path.startsWith(`${scan.position}.`)) {
        const each = remember(known, `each ${path}`, () => readSegment(scan, path));
        return each.slice(scan.repetition - 1, scan.repetition).filter(isFilled);
      }
      return remember(known, path, () => readSegment(scan, path).filter(isFilled));
    },
  };
}

function remember(
  known: Map<string, readonly string[]>,
  key: string,
  read: () => readonly string[],
): readonly string[] {
  const values = known.get(key) ?? read();
  known.set(key, values);
  return values;
}

/** One value a repetition, empty ones too; only one where the path names the repetition. */
function readSegment({ segment }: Scan, path: string): readonly string[] {
  const { field = 0, repetition, component, subcomponent } = toPath(`${segment.name}-${path}`);
  const all = segment.field(field).repetitions;
  const wanted = repetition === undefined ? all : all.slice(repetition - 1, repetition);
  return wanted.map((value) => {
    if (component === undefined) return value.text;
    const part = value.component(component);
    return subcomponent === undefined ? part.text : part.subcomponent(subcomponent).text;
  });
}
