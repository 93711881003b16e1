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
 * `3.1` is a place in the segment that is being checked, `MSH-9.2` one in the message. Where a component is
 * being checked, another one of its field is that of the same repetition.
 */
function toContext(scan: Scan): ConditionContext {
  const { message, segment } = scan;
  return {
    all(path) {
      if (!/^\d/.test(path)) return message.all(path).filter((value) => value !== '');
      const { field = 0, repetition, component, subcomponent } = toPath(`${segment.name}-${path}`);
      const all = segment.field(field).repetitions;
      const isBeside = field === scan.position && scan.component > 0 && component !== undefined;
      const own = repetition ?? (isBeside ? scan.repetition : undefined);
      const wanted = own === undefined ? all : all.slice(own - 1, own);
      return wanted
        .map((value) => {
          if (component === undefined) return value.text;
          const part = value.component(component);
          return subcomponent === undefined ? part.text : part.subcomponent(subcomponent).text;
        })
        .filter((value) => value !== '');
    },
  };
}
