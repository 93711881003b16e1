import { toSegmentField } from './header.ts';
import { compileDeclared } from './declared.ts';
import type { V2MessageMapDocument, V2PartDocument } from './document.ts';
import { GroupDraft, SegmentDraft } from './draft.ts';
import { type ElementCondition, parseElementCondition } from './element-condition.ts';
import type { ProduceContext, Unit } from './produce.ts';
import type { ReverseFrame, ReverseRun } from './run.ts';
import { type Scope, type Select, type Subject, compileSelect } from './select.ts';

/** An event that a message map makes messages of. */
export interface CompiledEvent {
  readonly event: string;
  readonly structure: string;
  readonly when: ElementCondition | undefined;
}

/** A map of a message, compiled. */
export interface CompiledV2Message {
  readonly id: string;
  readonly types: readonly string[];
  readonly priority: number;
  readonly events: readonly CompiledEvent[];
  /** Writes all segments but the header, which stands in the group already. */
  build(run: ReverseRun, root: GroupDraft): void;
}

/** What a message map may refer to, and where its problems go. */
export interface V2MessageContext extends Pick<ProduceContext, 'maps' | 'tables'> {
  readonly report: (message: string, rule?: string) => void;
}

interface Place {
  readonly run: ReverseRun;
  readonly group: GroupDraft;
  readonly scope: Scope;
  readonly at: Subject | undefined;
}

type Part = (place: Place) => void;

/** Compiles a message map; problems are reported. */
export function compileV2Message(
  document: V2MessageMapDocument,
  context: V2MessageContext,
): CompiledV2Message {
  const parts = document.segments.map((part) => compilePart(part, document.id, context));
  return {
    id: document.id,
    types: document.source?.fhir ?? [],
    priority: document.priority ?? 100,
    events: (document.events ?? []).map(({ event, structure, when }) => ({
      event,
      structure: structure ?? document.target?.v2 ?? '',
      when: compileWhen(when, (message) => context.report(message)),
    })),
    build: (run, root) => {
      const place: Place = { run, group: root, scope: new Map(), at: undefined };
      for (const part of parts) part(place);
    },
  };
}

function compileWhen(
  text: string | undefined,
  report: (message: string) => void,
): ElementCondition | undefined {
  if (text === undefined) return undefined;
  const parsed = parseElementCondition(text);
  if (parsed.ok) return parsed.condition;
  report(`when: ${parsed.message}, in: ${text}`);
  return undefined;
}

function compilePart(document: V2PartDocument, mapId: string, context: V2MessageContext): Part {
  const report = (message: string): void => context.report(message, document.id);
  const each = document.forEach && compileSelect(document.forEach, report);
  const first = document.with && compileSelect(document.with, report);
  const labels = Object.entries(document.labels ?? {}).map(
    ([name, texts]) => [name, compileSelect(texts, report)] as const,
  );
  const when = compileWhen(document.when, report);
  const write =
    document.segment === undefined
      ? compileGroup(document, mapId, context)
      : compileSegment(document, document.segment, { mapId, context, report });
  return (place) => {
    for (const subject of choose(place, each, first)) {
      let scope = label(place.scope, document.as, subject);
      for (const [name, select] of labels) {
        scope = label(scope, name, choose({ ...place, scope }, undefined, select)[0]);
      }
      const inner: Place = { ...place, scope, at: subject ?? place.at };
      if (when !== undefined && !isMet(when, inner)) continue;
      write(inner);
    }
  };
}

/** None is one without a resource of its own. */
function choose(
  { run, scope }: Place,
  each: Select | '' | undefined,
  first: Select | '' | undefined,
): readonly (Subject | undefined)[] {
  const toSubject = (node: Subject['node']): Subject =>
    [...scope.values()].find((known) => known.node.path === node.path) ?? {
      node,
      taken: new Set(),
    };
  if (each) return each(run, scope).map(toSubject);
  if (first) return first(run, scope).slice(0, 1).map(toSubject);
  return [undefined];
}

function label(scope: Scope, name: string | undefined, subject: Subject | undefined): Scope {
  return name === undefined || subject === undefined ? scope : new Map([...scope, [name, subject]]);
}

const nothing: Subject = { node: { value: {}, path: '', parent: undefined }, taken: new Set() };

function isMet(when: ElementCondition, { run, group, at }: Place): boolean {
  const { node, taken } = at ?? nothing;
  const segment = group.find('MSH') ?? new SegmentDraft('MSH', 1);
  return when({ run, group, segment, base: undefined, taken, agreeOnly: false }, node);
}

function compileGroup(document: V2PartDocument, mapId: string, context: V2MessageContext): Part {
  const parts = (document.segments ?? []).map((part) => compilePart(part, mapId, context));
  return ({ run, group, scope, at }) => {
    const inner = new GroupDraft(document.group, group);
    group.parts.push(inner);
    for (const part of parts) part({ run, group: inner, scope, at });
    if (!hasSegments(inner)) group.parts.pop();
  };
}

const hasSegments = (group: GroupDraft): boolean => group.segments().next().done !== true;

interface SegmentContext {
  readonly mapId: string;
  readonly context: V2MessageContext;
  readonly report: (message: string) => void;
}

/** What writes into a segment, and the label of what it reads. */
interface Source {
  readonly label: string | undefined;
  readonly units: () => readonly Unit[];
}

function compileSegment(
  document: V2PartDocument,
  name: string,
  { mapId, context, report }: SegmentContext,
): Part {
  const sources = [
    ...(document.rules === undefined ? [] : [compileRules(document, { mapId, context, report })]),
    ...(document.maps ?? []).flatMap((text) => compileSource(text, { mapId, context, report })),
  ];
  const required = document.required ?? [];
  return (place) => {
    const { run, group } = place;
    const known = name === 'MSH' ? group.find('MSH') : undefined;
    const segment = known ?? new SegmentDraft(name, countAll(group, name) + 1);
    const frame = { run, group, segment, base: undefined, agreeOnly: false };
    if (known === undefined) group.parts.push(segment);
    for (const source of sources) {
      const subject =
        source.label === undefined ? (place.at ?? nothing) : place.scope.get(source.label);
      if (subject === undefined) continue;
      for (const unit of source.units()) runUnit(unit, { ...frame, taken: subject.taken }, subject);
    }
    if (segment.isEmpty && document.must !== true) {
      group.parts.pop();
      return;
    }
    number(document, frame);
    for (const field of required) checkRequired(field, segment, place);
  };
}

/** What fails leaves nothing behind: other rules of the segment still have their say. */
function runUnit(unit: Unit, frame: ReverseFrame, { node }: Subject): void {
  const mark = frame.run.mark();
  const outcome = unit(frame, node);
  if (outcome === 'failed' || outcome === 'conflict') frame.run.rollback(mark);
}

const countAll = (group: GroupDraft, name: string): number =>
  (group.outward('MESSAGE') ?? group).count(name);

/** Counted in the named group around, else in the one at hand. */
function number(
  { setId, within }: V2PartDocument,
  { group, segment }: Pick<ReverseFrame, 'group' | 'segment'>,
): void {
  const place = setId === undefined ? undefined : toSegmentField(setId);
  if (place === undefined || segment.has(place)) return;
  const owner = within === undefined ? group : (group.outward(within) ?? group);
  segment.set(place, String(owner.count(segment.name)));
}

function checkRequired(field: string, segment: SegmentDraft, { run, at }: Place): void {
  const place = toSegmentField(field);
  if (place === undefined || segment.has(place)) return;
  const of = at === undefined || at.node.path === '' ? 'the input' : at.node.path;
  run.report({
    code: 'required-value-missing',
    severity: 'error',
    location:
      segment.occurrence === 1
        ? field
        : field.replace(segment.name, `${segment.name}[${segment.occurrence}]`),
    message: `Expected a value for ${field}, which the message requires, found none in ${of}. Complete the resource, or declare a rule that gives one.`,
  });
}

function compileSource(text: string, { context, report }: SegmentContext): readonly Source[] {
  const [, id = '', label] = /^(\S+)(?:\s+@(\S+))?$/.exec(text) ?? [];
  const map = context.maps.get(id);
  if (map === undefined) {
    report(`maps: there is no segment map ${id}`);
    return [];
  }
  return [{ label, units: () => map.units }];
}

function compileRules(
  document: V2PartDocument,
  { mapId, context, report }: SegmentContext,
): Source {
  const units = (document.rules ?? []).flatMap((rule) => {
    const name = `${mapId}#${rule.id}`;
    return (
      compileDeclared(rule, {
        ...context,
        name,
        report: (message) => report(`${rule.id}: ${message}`),
      }) ?? []
    );
  });
  return { label: undefined, units: () => units };
}
