import { Code } from './code.ts';
import { type CodedCondition, emitConditionFunction } from './condition.ts';
import type { Fields } from './fields.ts';
import type { ConditionTree } from '../condition/parse-condition.ts';
import type { Identify } from './identity.ts';
import { findFields } from './path.ts';
import type { Frame } from './run.ts';
import { type SourceValue, absent, toLocation, toSegmentName } from './source.ts';
import type { Table } from './tables.ts';
import type { Draft } from './target.ts';

/** One rule, compiled: writes code that reads from `frame` and writes into the element `o`. */
export interface Step {
  /** It does nothing unless this field of the map's segment has content; 0: it may. */
  readonly field: number;
  /** It does nothing unless the value at hand has content in the part with this bit; 0: it may. */
  readonly part: number;
  readonly emit: (code: Code) => string;
}

type Rule = (frame: Frame, into: Draft, fields: Fields | undefined, value: SourceValue) => void;

/** The functions that code was made to. */
interface Built {
  readonly when: CodedCondition | undefined;
  readonly rules: readonly Rule[];
}

/** A segment or datatype map, compiled. Its steps are filled in once all maps are known. */
export class CompiledMap {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly isSegmentMap: boolean;
  readonly identify: Identify | undefined;
  readonly #when: ConditionTree | undefined;
  steps: readonly Step[] = [];
  #plain: Built | undefined;
  #traced: Built | undefined;

  constructor(
    map: Pick<CompiledMap, 'id' | 'source' | 'type' | 'isSegmentMap' | 'identify'>,
    when: ConditionTree | undefined,
  ) {
    this.id = map.id;
    this.source = map.source;
    this.type = map.type;
    this.isSegmentMap = map.isSegmentMap;
    this.identify = map.identify;
    this.#when = when;
  }

  /** Unless the value at hand has content in one of these parts the map makes nothing; 0: it may. */
  get parts(): number {
    let parts = 0;
    for (const { part } of this.steps) {
      if (part === 0) return 0;
      parts |= part;
    }
    return parts;
  }

  /** Runs the rules: of a segment map on the segment at hand, of others on the value at hand. Their code is made at the first use. */
  fill(frame: Frame, into: Draft): void {
    const { when, rules } = frame.run.isTraced
      ? (this.#traced ??= this.#build(true))
      : (this.#plain ??= this.#build(false));
    const fields = this.isSegmentMap ? findFields(this.source, frame) : undefined;
    const value = frame.value ?? absent;
    if (when !== undefined && !when(frame, undefined, fields, value)) return;
    const content = this.isSegmentMap ? allParts : value.content;
    const { steps } = this;
    for (let at = 0; at < steps.length; at += 1) {
      const step = steps[at];
      if (step === undefined || (step.part & content) !== step.part) continue;
      if (step.field === 0 || fields?.has(step.field)) rules[at]?.(frame, into, fields, value);
    }
  }

  #build(isTraced: boolean): Built {
    const code = new Code(this.isSegmentMap ? this.source : undefined, { isTraced });
    const when = this.#when === undefined ? 'undefined' : emitConditionFunction(this.#when, code);
    const rules = this.steps.map(({ emit }) => code.function(() => emit(code)));
    return code.build(`{ when: ${when}, rules: [\n${rules.join(',\n')}\n] }`) as Built;
  }
}

/** Of a segment map no value is looked at beforehand. */
const allParts = -1;

/** What rules may refer to, and where their problems go. */
export interface RuleContext {
  readonly mapId: string;
  readonly maps: ReadonlyMap<string, CompiledMap>;
  readonly tables: ReadonlyMap<string, Table>;
  report(message: string): void;
}

/** Where what a rule writes came from: the value at hand, else the segment itself. */
export function toSourceText(frame: Frame, source: SourceValue | undefined): string {
  if (source !== undefined) return toLocation(source);
  if (frame.value !== undefined) return toLocation(frame.value);
  return frame.segment === undefined ? 'MSH' : toSegmentName(frame.segment);
}
