import type { Segment } from '../hl7v2/message.ts';
import type { Issue } from '../issue.ts';
import type { Condition } from './condition.ts';
import type { MessageMapDocument, PartDocument, ResourceDocument } from './document.ts';
import { type Identify, compileIdentity } from './identity.ts';
import type { CompiledMap } from './compiled-map.ts';
import { type Refer, compileReference } from './message-reference.ts';
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
import type { Draft } from './target.ts';

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

interface Compiling extends MessageContext {
  readonly mapId: string;
  /** From which segments the resources of a label are made. */
  readonly sources: ReadonlyMap<string, ReadonlySet<string>>;
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
  const sources = findSources(document.resources, context.maps);
  const compiling = { ...context, mapId: document.id, sources };
  const plans = document.resources.flatMap((part) => compilePlan(part, compiling));
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

function findSources(
  parts: readonly PartDocument[],
  maps: MessageContext['maps'],
  sources = new Map<string, Set<string>>(),
): ReadonlyMap<string, ReadonlySet<string>> {
  for (const part of parts) {
    if ('forEach' in part) findSources(part.resources, maps, sources);
    else if (!('include' in part)) {
      const { id, as: label = id } = part;
      const known = sources.get(label) ?? new Set<string>();
      sources.set(label, known);
      // What its other maps are for adds to it.
      const source = maps.get(part.maps?.[0] ?? '')?.source;
      if (source !== undefined) known.add(source);
    }
  }
  return sources;
}

function compilePlan(document: PartDocument, context: Compiling): readonly Plan[] {
  if ('include' in document) return [];
  if (!('forEach' in document)) return [compileOne(document, context)];
  const plans = document.resources.flatMap((inner) => compilePlan(inner, context));
  return [
    (group, run, later) => {
      for (const inner of group.groups) {
        if (inner.name === document.forEach) for (const plan of plans) plan(inner, run, later);
      }
    },
  ];
}

function compileOne(document: ResourceDocument, context: Compiling): Plan {
  const { mapId, sources } = context;
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
      segments: [...(sources.get(reference.resource) ?? [])],
      report: (message) => report(message, reference.id),
    }),
  );
  const tell = toResourceTeller(mapId, document, maps);
  const parts: Parts = { maps, when, references, tell };
  return document.extend === undefined
    ? compileResource(document, parts, { sources, report })
    : toExtension(document, parts);
}

/** What a resource and an extension of one have in common. */
interface Parts {
  readonly maps: readonly CompiledMap[];
  readonly when: Condition | undefined;
  readonly references: readonly Refer[];
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
  { sources, report }: Pick<Compiling, 'sources' | 'report'>,
): Plan {
  const { id, as: label = id, resource: type = '', identity, needs, apart } = document;
  const identify: Identify | undefined = identity && compileIdentity(identity, type, report);
  return (group, run, later) => {
    if (identify === undefined || (when !== undefined && !when(toFrame(group, run)))) return;
    if (needs !== undefined && run.findEntry(needs, group) === undefined) {
      const segment = findOwnSegment(maps, group);
      if (segment !== undefined) run.tellOnce(id, toLacking({ label, needs, segment, sources }));
      return;
    }
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
    const entry = run.addEntry({ type, content, identity: known, trace, frame });
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

/** The first segment of the group itself that one of the maps is for. */
const findOwnSegment = (maps: readonly CompiledMap[], { segments }: Group): Segment | undefined =>
  segments.find(({ name }) => maps.some(({ source }) => source === name));

function toLacking(of: {
  readonly label: string;
  readonly needs: string;
  readonly segment: Segment;
  readonly sources: Compiling['sources'];
}): Issue {
  const { label, needs, segment, sources } = of;
  const names = [...(sources.get(needs) ?? [])].join(' or ');
  return {
    ...{ code: 'resource-needed', severity: 'warning', location: toSegmentName(segment) },
    message:
      `${segment.name} was left out: it becomes ${label} only beside ${needs}, and there is none. ` +
      `Expected ${names} in its place; let the sender send it.`,
  };
}

function toSame(label: string, apart: string, { segment }: Frame): Issue {
  return {
    code: 'resources-not-apart',
    severity: 'warning',
    ...(segment === undefined ? {} : { location: toSegmentName(segment) }),
    message: `Expected ${label} to be another than ${apart}, found the same identifier: it was left out.`,
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
