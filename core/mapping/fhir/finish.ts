import type { Entry, Run } from '../run.ts';
import type { FhirMapDocument } from './document.ts';
import type { FhirState } from './rule.ts';
import type { MapContext } from '../map-context.ts';
import { claim, compileSteps } from './steps.ts';
import { takeAway, toMoved } from './take-away.ts';

/** Changes the resources that a message has become. */
export type Finish = (run: Run) => void;

/**
 * Compiles a map from FHIR to FHIR that finishes what the maps of HL7 v2 have made: each rule sees what those before it have
 * written, and provenance leads on to the message.
 */
export function compileFinish(document: FhirMapDocument, context: MapContext): Finish {
  const { path, issues } = context;
  if (document.rest === 'leave') {
    const message = 'finish: everything that no rule names stays; take rest: leave away';
    issues.push({ code: 'mapping-invalid', severity: 'error', location: path, message });
  }
  const steps = compileSteps(document, context);
  const { id, target } = document;
  const type = target?.fhir ?? '';
  return (run) => {
    const types = new Map(run.entries.map((entry) => [entry.fullUrl, entry.type]));
    const typeOf = (reference: string): string | undefined => types.get(reference);
    for (const entry of run.entries) {
      if (entry.type !== type) continue;
      const state: FhirState = {
        source: { value: entry.resource, path: type, parent: undefined, typeOf },
        output: entry.resource,
        onRule: (rule) => run.onRule?.(rule),
        ...{ issues: run.issues, provenance: [], consumed: new Set(), dropped: new Set() },
      };
      for (const step of steps) step(state);
      claim(entry.resource, target?.profile);
      const claimed = { target: `${type}.meta.profile[0]`, source: type, rule: `${id}#profile` };
      if (target?.profile !== undefined) state.provenance.push(claimed);
      trace(entry, state);
    }
  };
}

/** What was written is from where the element is that it was written for, else from where the resource is. */
function trace(entry: Entry, { source, provenance, dropped, output }: FhirState): void {
  const [first] = entry.trace;
  const written = first === undefined ? [] : provenance;
  const segment = /^\w+(?:\[\d+\])?/.exec(first?.source ?? '')?.[0] ?? '';
  const start = source.path.length + 1;
  const origins = written.map((one) => ({
    target: one.target.slice(start),
    source: findSource(entry, one.source.slice(start)) ?? segment,
    rule: one.rule,
  }));
  const replaced = new Set(origins.map(({ target }) => target));
  const before = entry.trace.splice(0);
  const taken = takeAway(output, dropped);
  const isLeft = ({ target }: { readonly target: string }): boolean =>
    !replaced.has(target) && ![...dropped].some((at) => isWithin(target, at));
  entry.trace.push(
    ...[...before.filter(isLeft), ...origins].map((one) => ({
      ...one,
      target: toMoved(one.target, taken),
    })),
  );
}

const findSource = ({ trace }: Entry, at: string): string | undefined =>
  at === '' ? undefined : trace.find(({ target }) => isWithin(target, at))?.source;

const isWithin = (path: string, around: string): boolean =>
  path.startsWith(around) &&
  (path.length === around.length || /[.[]/.test(path[around.length] ?? ''));
