import type { ReferenceDocument } from './document.ts';
import type { toReferenceTeller } from './parts.ts';
import { compileWhen } from './rule.ts';
import type { Entry, Frame } from './run.ts';
import { toSegmentName } from './source.ts';
import { type TargetStep, parseTargetPath, toWritten, writePath } from './target.ts';

/** Writes a reference, where the message has the resource that it is to. */
export type Refer = (entry: Entry, frame: Frame) => void;

interface ReferenceContext {
  /** By which provenance names it. */
  readonly rule: string;
  readonly tell: ReturnType<typeof toReferenceTeller>;
  /** From which segments the resources are made that it may be to. */
  readonly segments: readonly string[];
  readonly report: (message: string) => void;
}

/** Compiles a reference of a resource of a message map; problems are reported. */
export function compileReference(
  document: ReferenceDocument,
  { rule, tell, segments, report }: ReferenceContext,
): Refer {
  const steps: readonly TargetStep[] = parseTargetPath(document.to) ?? [];
  if (steps.length === 0) report(`to: ${document.to} is no path such as result[+]`);
  const when = compileWhen(document.when, report);
  const all = steps.some((step) => step.index === 'next');
  const also = compileAlso(document, report);
  const missing = { target: document.to, resource: document.resource, segments, rule };
  return (entry, frame) => {
    if (when !== undefined && !when(frame)) return;
    const { run } = frame;
    const group =
      document.within === undefined ? frame.group : frame.group.outward(document.within);
    const found = group === undefined ? [] : run.labelled(document.resource, group);
    if (found.length === 0 && run.trace !== undefined) run.unresolved.push({ entry, missing });
    if (!all && document.pick === 'only' && found.length > 1) return;
    const first = found[0];
    for (const other of all ? found : first === undefined ? [] : [first]) {
      if (other === entry) continue;
      writePath(entry.resource, steps, { reference: other.fullUrl });
      if (run.onRule !== undefined) tell(run.onRule);
      const source = frame.segment === undefined ? 'MSH' : toSegmentName(frame.segment);
      if (run.trace !== undefined) {
        const target = `${toWritten(entry.resource, steps)}.reference`;
        entry.trace.push({ target, source, rule });
      }
      for (const [beside, value] of also) {
        writePath(entry.resource, beside, value);
        if (run.trace === undefined) continue;
        entry.trace.push({ target: toWritten(entry.resource, beside), source, rule });
      }
    }
  };
}

function compileAlso(
  { also = {} }: ReferenceDocument,
  report: (message: string) => void,
): readonly (readonly [readonly TargetStep[], unknown])[] {
  return Object.entries(also).map(([path, value]) => {
    const beside = parseTargetPath(path);
    if (beside === undefined) report(`also: ${path} is no path such as link[-1].type`);
    return [beside ?? [], value] as const;
  });
}
