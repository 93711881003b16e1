/** Where one element came from: `target` is a path into the Bundle, `source` one into the message. */
export interface Provenance {
  /** `Bundle.entry[1].resource.identifier[0].system`. */
  readonly target: string;
  /** `PID-3[1].4.2`, or a segment's name where the segment itself is the reason. */
  readonly source: string;
  /** `CX.Identifier#CX.4.system`: the map and the rule in it. */
  readonly rule: string;
}
