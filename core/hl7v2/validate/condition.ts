import type { ConditionContext, Usage } from '../definitions/definitions.ts';
import { toPath } from '../path.ts';
import type { ElementCheck } from './element-check.ts';
import type { Scan } from './scan.ts';

/** The usage of an element, where it hangs on a condition what that comes to for this segment. */
export function findUsage(scan: Scan, { usage, condition }: ElementCheck): Usage {
  if (condition === undefined) return usage;
  return condition.holds(toContext(scan)) ? condition.then : condition.otherwise;
}

/**
 * `3.1` is a place in the segment that is being checked, `MSH-9.2` one in the message. Each is read once, since
 * a condition may be asked of every repetition.
 */
function toContext(scan: Scan): ConditionContext {
  return {
    all(path) {
      const isWithin = /^\d/.test(path);
      const known = isWithin
        ? (scan.segmentValues ??= new Map<string, readonly string[]>())
        : (scan.messageValues ??= new Map<string, readonly string[]>());
      let values = known.get(path);
      if (values === undefined) {
        const all = isWithin ? readSegment(scan, path) : scan.message.all(path);
        values = all.filter((value) => value !== '');
        known.set(path, values);
      }
      return values;
    },
  };
}

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
