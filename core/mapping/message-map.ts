import type { Segment } from '../hl7v2/message.ts';
import type { Issue } from '../issue.ts';
import type { Condition } from './condition.ts';
import type {
  MessageMapDocument,
  PartDocument,
  ReferenceDocument,
  ResourceDocument,
} from './document.ts';
import { type Identify, compileIdentity } from './identity.ts';
import type { CompiledMap } from './compiled-map.ts';
import { checkIds, toReferenceTeller, toResourceTeller } from './parts.ts';
import { compileWhen } from './rule.ts';
import {
  type Entry,
  type Frame,
  type Run,
  type TraceEntry,
  beginResource,
  hasContent,
} from './run.ts';
import { toSegmentName } from './source.ts';
import { type Group, type StructureDocument, toGroups } from './structure.ts';
import { type Draft, type TargetStep, parseTargetPath, toWritten, writePath } from './target.ts';

/** A message map, compiled. */
export interface CompiledMessageMap {
  readonly id: string;
  readonly messages: readonly string[];
  /** Fills the run with entries; gives what stands in the Bundle itself. */
  map(run: Run): Draft;
}

/** What a message map may refer to, and where its problems go: the message, and the resource's or rule's id. */
export interface MessageContext {
  readonly maps: ReadonlyMap<string, CompiledMap>;
  readonly report: (message: string, rule?: string) => void;
}

type Plan = (group: Group, run: Run, later: Deferred[]) => void;
/** References are written when all resources are known. */
interface Deferred {
  readonly references: Parts['references'];
  readonly entry: Entry;
  readonly frame: Frame;
}

/** Compiles the resources of a message map; problems are reported. */
export function compileMessageMap(
  document: MessageMapDocument,
  context: MessageContext,
): CompiledMessageMap {
  const structure: StructureDocument = document.structure ?? { segments: [], groups: [] };
  checkIds(document.resources, context.report);
  const plans = document.resources.flatMap((part) => compilePlan(part, document.id, context));
  const bundle = document.bundle === undefined ? undefined : context.maps.get(document.bundle);
  if (document.bundle !== undefined && bundle === undefined) {
    context.report(`bundle: there is no map ${document.bundle}`);
  }
  return {
    id: document.id,
    messages: document.source?.messages ?? [],
    map: (run) => {
      const root = toGroups(run.message, structure);
      const top: Draft = {};
      if (bundle !== undefined) applyMap(bundle, root, run, top);
      const later: Deferred[] = [];
      for (const plan of plans) plan(root, run, later);
      for (const { references, entry, frame } of later) {
        for (const reference of references) reference(entry, frame);
      }
      return top;
    },
  };
}

function compilePlan(
  document: PartDocument,
  mapId: string,
  context: MessageContext,
): readonly Plan[] {
  if ('include' in document) return [];
  if (!('forEach' in document)) return [compileOne(document, mapId, context)];
  const plans = document.resources.flatMap((inner) => compilePlan(inner, mapId, context));
  return [
    (group, run, later) => {
      for (const inner of group.groups) {
        if (inner.name === document.forEach) for (const plan of plans) plan(inner, run, later);
      }
    },
  ];
}

function compileOne(document: ResourceDocument, mapId: string, context: MessageContext): Plan {
  const block = document.blocks?.at(-1);
  const report = (message: string, rule = document.id): void =>
    context.report(block === undefined ? message : `${message} (of the block ${block})`, rule);
  const maps = (document.maps ?? []).flatMap((id) => {
    const map = context.maps.get(id);
    if (map?.isSegmentMap === true) return [map];
    report(`maps: there is no segment map ${id}`);
    return [];
  });
  const when = compileWhen(document.when, report);
  const references = (document.references ?? []).map((reference) =>
    compileReference(reference, {
      rule: `${mapId}#${reference.id}`,
      tell: toReferenceTeller(mapId, reference.id, document),
      report: (message) => report(message, reference.id),
    }),
  );
  const tell = toResourceTeller(mapId, document, maps);
  const parts: Parts = { maps, when, references, tell };
  return document.extend === undefined
    ? compileResource(document, parts, report)
    : toExtension(document, parts);
}

/** What a resource and an extension of one have in common. */
interface Parts {
  readonly maps: readonly CompiledMap[];
  readonly when: Condition | undefined;
  readonly references: readonly ((entry: Entry, frame: Frame) => void)[];
  readonly tell: ReturnType<typeof toResourceTeller>;
}

/** The references come first and at once, so that the maps can write beside them: `diagnosis[-1].use`. */
function toExtension(document: ResourceDocument, { maps, when, references, tell }: Parts): Plan {
  return (group, run) => {
    const frame = toFrame(group, run, findSegment(maps, group));
    if (when !== undefined && !when(frame)) return;
    const owner = document.within === undefined ? group : group.outward(document.within);
    const entry = owner && run.findEntry(document.extend ?? '', owner);
    if (entry === undefined) return;
    for (const reference of references) reference(entry, frame);
    withTrace(run, entry.trace, () => applyMaps(maps, group, run, entry.resource));
    if (run.onRule !== undefined) tell(run.onRule, group);
  };
}

function compileResource(
  document: ResourceDocument,
  { maps, when, references, tell }: Parts,
  report: (message: string) => void,
): Plan {
  const { id, as: label = id, resource: type = '', identity, needs, apart } = document;
  const identify: Identify | undefined = identity && compileIdentity(identity, type, report);
  return (group, run, later) => {
    if (identify === undefined || (when !== undefined && !when(toFrame(group, run)))) return;
    if (needs !== undefined && run.findEntry(needs, group) === undefined) return;
    const content = beginResource(type);
    const trace: TraceEntry[] = [];
    withTrace(run, trace, () => applyMaps(maps, group, run, content));
    if (!hasContent(content)) return;
    const frame = toFrame(group, run, findSegment(maps, group));
    const known = identify(content, frame);
    if (apart !== undefined && run.findEntry(apart, group)?.uuid === known.uuid) {
      run.issues.push(toSame(label, apart, frame));
      return;
    }
    const entry = run.addEntry(type, content, known, trace);
    if (run.onRule !== undefined) tell(run.onRule, group);
    run.label(label, entry, group);
    if (references.length > 0) later.push({ references, entry, frame });
  };
}

function findSegment(maps: readonly CompiledMap[], group: Group): Segment | undefined {
  for (const map of maps) {
    const found = group.find(map.source);
    if (found !== undefined) return found;
  }
  return undefined;
}

function toSame(label: string, apart: string, { segment }: Frame): Issue {
  return {
    code: 'resources-not-apart',
    severity: 'warning',
    ...(segment === undefined ? {} : { location: toSegmentName(segment) }),
    message: `Expected ${label} to be another than ${apart}, found the same identifier: it was left out.`,
  };
}

interface ReferenceContext {
  /** By which provenance names it. */
  readonly rule: string;
  readonly tell: ReturnType<typeof toReferenceTeller>;
  readonly report: (message: string) => void;
}

function compileReference(
  document: ReferenceDocument,
  { rule, tell, report }: ReferenceContext,
): (entry: Entry, frame: Frame) => void {
  const steps: readonly TargetStep[] = parseTargetPath(document.to) ?? [];
  if (steps.length === 0) report(`to: ${document.to} is no path such as result[+]`);
  const when = compileWhen(document.when, report);
  const all = steps.some((step) => step.index === 'next');
  const also = Object.entries(document.also ?? {}).map(([path, value]) => {
    const beside = parseTargetPath(path);
    if (beside === undefined) report(`also: ${path} is no path such as link[-1].type`);
    return [beside ?? [], value] as const;
  });
  return (entry, frame) => {
    if (when !== undefined && !when(frame)) return;
    const { run } = frame;
    const group =
      document.within === undefined ? frame.group : frame.group.outward(document.within);
    const found = group === undefined ? [] : run.labelled(document.resource, group);
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

function applyMap(map: CompiledMap, group: Group, run: Run, into: Draft): void {
  for (const segment of group.segments) {
    if (segment.name !== map.source) continue;
    map.fill(toFrame(group, run, segment), into);
  }
}

function applyMaps(maps: readonly CompiledMap[], group: Group, run: Run, into: Draft): void {
  for (const map of maps) applyMap(map, group, run, into);
}

function toFrame(group: Group, run: Run, segment?: Segment): Frame {
  return { run, group, segment, value: undefined };
}

/** Rules inside write their provenance to `trace`, if provenance is on. */
function withTrace(run: Run, trace: TraceEntry[], work: () => void): void {
  const outer = run.trace;
  if (outer !== undefined) run.trace = trace;
  work();
  run.trace = outer;
}
