import type { Severity } from '../../issue.ts';
import { toSegmentField } from './header.ts';
import { compileDeclared } from './declared.ts';
import type { V2MessageMapDocument, V2PartDocument } from './document.ts';
import { GroupDraft, SegmentDraft } from './draft.ts';
import { type ElementCondition, parseElementCondition } from './element-condition.ts';
import type { Ignored } from './ignored.ts';
import type { ProduceContext, Unit } from './produce.ts';
import { isPlainObject } from '../target.ts';
import type { ReverseFrame, ReverseRun } from './run.ts';
import {
  type Scope,
  type Subject,
  compileLabels,
  compileSelect,
  label,
  toSubject,
} from './select.ts';

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
  const labels = compileLabels(document.labels, context.report);
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
      const scope = labels(run, new Map());
      const place: Place = { run, group: root, scope, at: undefined };
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
  const chosen = compileChoice(document, report);
  const labels = compileLabels(document.labels, report);
  const when = compileWhen(document.when, report);
  const write = compileWrite(document, { mapId, context, report });
  return (place) => {
    const subjects = chosen(place);
    if (subjects.length === 0 && document.must === true) {
      if (document.segment === undefined) reportMissing(document, place);
      else write({ ...place, at: nothing });
    }
    for (const subject of subjects) {
      const scope = labels(place.run, label(place.scope, document.as, subject));
      const inner: Place = { ...place, scope, at: subject ?? place.at };
      if (when !== undefined && !isMet(when, inner)) continue;
      write(inner);
    }
  };
}

function compileWrite(document: V2PartDocument, segment: SegmentContext): Part {
  const { mapId, context } = segment;
  const { ignore, severity = 'information' } = document;
  if (ignore !== undefined) {
    return compileIgnore({ why: ignore, rule: `${mapId}#${document.id}` }, severity);
  }
  if (document.segment === undefined) return compileGroup(document, mapId, context);
  return compileSegment(document, document.segment, segment);
}

/** What has no place in the message is said to be left out, and is no message of its own. */
function compileIgnore({ why, rule }: Omit<Ignored, 'source'>, severity: Severity): Part {
  return ({ run, at }) => {
    if (at === undefined) return;
    const { node, taken } = at;
    const type = isPlainObject(node.value) ? node.value['resourceType'] : undefined;
    run.ignore({ taken }, node, { rule, why });
    run.fire(rule);
    run.report({
      code: 'resource-ignored',
      severity,
      location: node.path,
      message: `This ${typeof type === 'string' ? type : 'element'} has no place in the message and was left out (${rule}): ${why}`,
    });
  };
}

function reportMissing(document: V2PartDocument, { run }: Place): void {
  const name = document.group ?? document.id;
  const texts = [document.forEach ?? document.with ?? []].flat().join(', ');
  run.report({
    code: 'resource-missing',
    severity: 'error',
    message: `Expected what ${name} is made of (${texts}), found none in the input. Put it into the Bundle.`,
  });
}

type Choose = (place: Place) => readonly (Subject | undefined)[];

/** Without a selector a part is there once, made of what the group around it is. */
function compileChoice(document: V2PartDocument, report: (message: string) => void): Choose {
  const { forEach, with: first, unused = false, except } = document;
  const texts = forEach ?? first;
  if (texts === undefined) return () => [undefined];
  const select = compileSelect(texts, report);
  const where = compileWhen(document.where, report);
  const selectOut = except === undefined ? undefined : compileSelect(except, report);
  return (place) => {
    const { run, scope } = place;
    const out = new Set(selectOut?.(run, scope).map(({ path }) => path));
    const found = select(run, scope).filter(
      (node) =>
        !out.has(node.path) &&
        (where === undefined || isMet(where, { ...place, at: { node, taken: new Set() } })) &&
        !(unused && run.isUsed(node)),
    );
    return (forEach === undefined ? found.slice(0, 1) : found).map((node) =>
      toSubject(node, scope),
    );
  };
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
    group.add(inner);
    for (const part of parts) part({ run, group: inner, scope, at });
    if (inner.isEmpty) group.removeLast();
  };
}

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
  const { required = [], needs = [] } = document;
  return (place) => {
    const { run, group } = place;
    const mark = run.mark();
    const known = name === 'MSH' ? group.find('MSH') : undefined;
    const segment = known ?? new SegmentDraft(name, countAll(group, name) + 1);
    const frame = { run, group, segment, base: undefined, agreeOnly: false };
    if (known === undefined) group.add(segment);
    for (const source of sources) {
      const subject =
        source.label === undefined ? (place.at ?? nothing) : place.scope.get(source.label);
      if (subject === undefined) continue;
      const taken = document.again === true ? new Set<string>() : subject.taken;
      for (const unit of source.units()) runUnit(unit, { ...frame, taken }, subject);
    }
    const isLacking = needs.some((field) => !isThere(field, segment));
    if (isLacking) run.rollback(mark);
    if (isLacking || (segment.isEmpty && document.must !== true)) {
      group.removeLast();
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

function isThere(field: string, segment: SegmentDraft): boolean {
  const place = toSegmentField(field);
  return place === undefined || segment.has(place);
}

function checkRequired(field: string, segment: SegmentDraft, { run, at }: Place): void {
  if (isThere(field, segment)) return;
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
