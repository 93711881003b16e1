import type { Condition } from './condition.ts';
import type { Identify } from './identity.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toLocation, toSegmentName } from './source.ts';
import type { Table } from './tables.ts';
import type { Draft } from './target.ts';

/** One rule, compiled: reads from the frame, writes into the element that is being built. */
export interface Step {
  /** It does nothing unless this field of the map's segment has content; 0: it may. */
  readonly field: number;
  /** It does nothing unless the value at hand has content in the part with this bit; 0: it may. */
  readonly part: number;
  readonly run: (frame: Frame, into: Draft) => void;
}

/** A segment or datatype map, compiled. Its steps are filled in once all maps are known. */
export interface CompiledMap {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly isSegmentMap: boolean;
  readonly identify: Identify | undefined;
  readonly when: Condition | undefined;
  steps: readonly Step[];
}

/** What rules may refer to, and where their problems go. */
export interface RuleContext {
  readonly mapId: string;
  readonly maps: ReadonlyMap<string, CompiledMap>;
  readonly tables: ReadonlyMap<string, Table>;
  report(message: string): void;
}

/** Runs the rules of a map: of a segment map on the segment at hand, of others on the value at hand. */
export function applySteps(map: CompiledMap, frame: Frame, into: Draft): void {
  const { run, segment, value } = frame;
  if (map.isSegmentMap) {
    const content = segment?.name === map.source ? run.fields(segment) : undefined;
    for (const step of map.steps) {
      if (step.field === 0 || content === undefined || content.has(step.field)) {
        step.run(frame, into);
      }
    }
    return;
  }
  const content = value?.content ?? 0;
  for (const step of map.steps) {
    if (step.part === 0 || (content & step.part) !== 0) step.run(frame, into);
  }
}

/** Where what a rule writes came from: the value at hand, else the segment itself. */
export function toSourceText(frame: Frame, source: SourceValue | undefined): string {
  if (source !== undefined) return toLocation(source);
  if (frame.value !== undefined) return toLocation(frame.value);
  return frame.segment === undefined ? 'MSH' : toSegmentName(frame.segment);
}
