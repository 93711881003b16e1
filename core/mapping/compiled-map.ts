import { Code } from './code.ts';
import { emitCondition } from './condition.ts';
import type { ConditionTree } from '../condition/parse-condition.ts';
import type { Identify } from './identity.ts';
import { emitPrelude } from './path.ts';
import type { Frame } from './run.ts';
import { type SourceValue, toLocation, toSegmentName } from './source.ts';
import type { Table } from './tables.ts';
import type { Draft } from './target.ts';

/** One rule, compiled: writes code that reads from `frame` and writes into the element `o`. */
export interface Step {
  /** It does nothing unless the value at hand has content in the part with this bit; 0: it may. */
  readonly part: number;
  readonly emit: (code: Code) => string;
}

type Fill = (frame: Frame, into: Draft) => void;

/** A segment or datatype map, compiled. Its steps are filled in once all maps are known. */
export class CompiledMap {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly isSegmentMap: boolean;
  readonly identify: Identify | undefined;
  readonly #when: ConditionTree | undefined;
  steps: readonly Step[] = [];
  #plain: Fill | undefined;
  #traced: Fill | undefined;

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
    if (frame.run.isTraced) (this.#traced ??= this.#build(true))(frame, into);
    else (this.#plain ??= this.#build(false))(frame, into);
  }

  #build(isTraced: boolean): Fill {
    const code = new Code(this.isSegmentMap ? this.source : undefined, { isTraced });
    const when = this.#when && `if (!${emitCondition(this.#when, code)}) return;`;
    const rules = this.steps.map(({ emit }) => emit(code));
    const body = [when ?? '', ...rules].filter(Boolean).join('\n');
    return code.build(`(frame, o) => {\n${emitPrelude(code)}\n${body}\n}`) as Fill;
  }
}

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
