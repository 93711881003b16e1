import { compareSegmentChange, type Difference } from '../../core/hl7v2/compare.ts';
import { usualEncoding } from '../../core/hl7v2/segment-changes.ts';
import type { PayloadChanges, PayloadForm, PayloadStep } from '../../core/payload-changes.ts';
import { cutDifferences } from './differences.ts';

/** What the nodes of a flow made of one message's payload: of the last run of the flow in which they changed it. */
export interface NodeChangesView {
  readonly messageId: string;
  /** Which run of the flow, 1-based. */
  readonly attempt: number;
  /** In the order in which they happened, over all branches. */
  readonly steps: readonly NodeStepView[];
  /** How many more there were, for which there was no room (`HILUM_CHANGES`). */
  readonly stepsLeftOut: number;
}

/** A payload left a node otherwise than it came in to it. */
export interface NodeStepView {
  /** 1-based. */
  readonly step: number;
  /** The step whose payload came in to the node: it tells branches apart; 0: none, the payload as the flow got it. */
  readonly from: number;
  readonly node: { readonly id: string; readonly type: string; readonly name?: string };
  /** Which of the node's outputs, 1-based. */
  readonly output: number;
  /** The node failed after it had changed the payload. */
  readonly failed: boolean;
  /** `fields`: both are HL7 v2; `text`: they are compared as text; `none`: too large, or not to be written as JSON. */
  readonly kind: 'fields' | 'text' | 'none';
  readonly forms: readonly [before: PayloadForm, after: PayloadForm];
  /** In characters of text or JSON, or in bytes. */
  readonly sizes: readonly [before: number, after: number];
  /** Of `fields`: at most 200, each value cut at 200 characters. */
  readonly differences: readonly Difference[];
  /** How many there are. */
  readonly total: number;
  /** Of `text`: what stands between the first and the last place at which they differ; `at`: characters before it. */
  readonly excerpt?: { readonly at: number; readonly before: string; readonly after: string };
  /** Bytes of the change for which there was no room. */
  readonly bytesLeftOut: number;
}

export function toNodeChanges({
  messageId,
  attempt,
  steps,
  cut = 0,
}: PayloadChanges): NodeChangesView {
  return { messageId, attempt, steps: steps.map(toStep), stepsLeftOut: cut };
}

function toStep(given: PayloadStep): NodeStepView {
  const { step, from = 0, node: id, type, name, output = 1, segments, excerpt } = given;
  const { delimiters = [usualEncoding, usualEncoding] } = given;
  const differences = (segments ?? []).flatMap((each) => compareSegmentChange(each, delimiters));
  const other = excerpt === undefined ? 'none' : 'text';
  return {
    step,
    from,
    node: { id, type, ...(name === undefined ? {} : { name }) },
    output,
    failed: given.failed ?? false,
    kind: segments === undefined ? other : 'fields',
    forms: given.forms ?? ['text', 'text'],
    sizes: given.sizes,
    ...cutDifferences(differences),
    ...(excerpt === undefined ? {} : { excerpt }),
    bytesLeftOut: given.cut ?? 0,
  };
}
