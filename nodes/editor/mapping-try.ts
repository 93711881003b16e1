import type { TryAnswer, TryIssue } from '../shared/mapping-offer.ts';
import { findField } from './message-field.ts';
import { type JsonLine, toJsonLines, toSegmentLines } from './json-lines.ts';
import type { EditorNode } from './red.ts';

type Origins = ReadonlyMap<string, TryAnswer['provenance']>;

const part = (name: string): JQuery => $(`.hilum-try-${name}`);
const read = (name: string): string => String($(`#node-input-${name}`).val() ?? '');

/**
 * The try-out of a mapping in its dialog: what the pasted message becomes with the choices as they stand, what rules
 * found and left; a line of the output tells which field and rule it comes from, and marks the field.
 */
export function prepareMappingTry(
  node: EditorNode,
  { isFhir = false }: { readonly isFhir?: boolean } = {},
): void {
  const text = (key: string, values?: Readonly<Record<string, string | number>>): string =>
    node._(`hilum.try.${key}`, values);
  const message = part('message').attr('aria-label', text(isFhir ? 'resource' : 'message'));
  part('run').on('click', () => {
    const request = {
      ...{ message: String(message.val() ?? ''), mapping: read('mapping') },
      ...{ layers: read('layers'), zone: read('zone') },
      ...{ isFhir, map: read('map'), event: read('event'), version: read('version') },
    };
    part('run').prop('disabled', true);
    $.ajax({
      ...{ method: 'POST', url: 'hilum/mappings/try' },
      ...{ contentType: 'application/json', data: JSON.stringify(request) },
    })
      .done((answer: TryAnswer) => show(answer, message, text))
      .fail((failed: { readonly responseJSON?: { readonly issues?: readonly TryIssue[] } }) => {
        const { issues = [{ code: '', severity: 'error', message: text('failed') }] } =
          failed.responseJSON ?? {};
        show({ resource: null, issues, unconsumed: [], provenance: [] }, message, text);
      })
      .always(() => part('run').prop('disabled', false));
  });
}

type Text = (key: string, values?: Readonly<Record<string, string | number>>) => string;

function show(
  { resource, message: hl7, issues, unconsumed, provenance }: TryAnswer,
  message: JQuery,
  text: Text,
): void {
  const counts = {
    entries: countResources(resource),
    issues: issues.length,
    unconsumed: unconsumed.length,
  };
  const isNothing = resource === null && hl7 === undefined;
  part('result').show();
  const summary = hl7 === undefined ? 'summary' : 'summaryHl7';
  part('summary').text(text(isNothing ? 'none' : summary, counts));
  part('issues').empty().append(issues.map(toItem));
  const left = unconsumed.map((path) => toSource(path, message));
  part('unconsumed')
    .empty()
    .toggle(left.length > 0)
    .append($('<b>').text(text('unconsumed')), left);
  part('origin').text(text('hint')).toggle(!isNothing);
  const origins = groupByTarget(provenance);
  part('bundle')
    .empty()
    .toggle(!isNothing)
    .append(toLines(resource, hl7).map((line) => toLine(line, { origins, message, text })));
}

function countResources(resource: object | null): number {
  if (resource === null) return 0;
  const { resourceType, entry = [] } = resource as {
    readonly resourceType?: string;
    readonly entry?: readonly object[];
  };
  return resourceType === 'Bundle' ? entry.length : 1;
}

function toLines(resource: object | null, hl7: string | undefined): readonly JsonLine[] {
  if (hl7 !== undefined) return toSegmentLines(hl7);
  if (resource === null) return [];
  const { resourceType = 'Bundle' } = resource as { readonly resourceType?: string };
  return toJsonLines(resource, resourceType);
}

const toItem = ({ code, severity, location, message }: TryIssue): JQuery =>
  $('<li>')
    .addClass(`hilum-try-${severity}`)
    .text(`${location === undefined ? '' : `${location}: `}${message} (${code})`);

/** The name of a place in the message; a click marks it there. */
const toSource = (path: string, message: JQuery): JQuery =>
  $('<button type="button" class="hilum-try-source">')
    .text(path)
    .on('click', () => mark(path, message));

interface Shown {
  readonly origins: Origins;
  readonly message: JQuery;
  readonly text: Text;
}

/** A line of the output; pointed at or reached by keyboard it says where it comes from, clicked it marks it there. */
function toLine(
  { json, path }: { readonly json: string; readonly path: string },
  { origins, message, text }: Shown,
): JQuery {
  const found = findOrigins(path, origins);
  const line = $('<div class="hilum-try-line" tabindex="0">').text(json).attr('data-path', path);
  const tell = (): void => {
    part('line').removeClass('selected');
    line.addClass('selected');
    const words = found.map(({ source, rule }) => text('origin', { source, rule }));
    part('origin').text(words.length === 0 ? text('made') : words.join('\n'));
  };
  return line.on('mouseenter focus', tell).on('click', () => {
    const [first] = found;
    if (first !== undefined) mark(first.source, message);
  });
}

function groupByTarget(provenance: TryAnswer['provenance']): Origins {
  const groups = new Map<string, TryAnswer['provenance'][number][]>();
  for (const entry of provenance) {
    groups.set(entry.target, [...(groups.get(entry.target) ?? []), entry]);
  }
  return groups;
}

/** Of the element itself, else of what it is part of, else of its parts. */
function findOrigins(path: string, origins: Origins): TryAnswer['provenance'] {
  for (let at = path; at !== ''; at = at.replace(/(?:^|\.|\[)[^.[]*$/, '')) {
    const found = origins.get(at);
    if (found !== undefined) return found;
  }
  const inside = [...origins].filter(
    ([target]) => /^[.[-]/.test(target.slice(path.length)) && target.startsWith(path),
  );
  return inside.length > 40 ? [] : inside.flatMap(([, found]) => found);
}

/** Marks the field in the pasted message. */
function mark(path: string, message: JQuery): void {
  const [area] = message.toArray() as HTMLTextAreaElement[];
  const range = area === undefined ? undefined : findField(area.value, path);
  if (area === undefined || range === undefined) return;
  area.focus();
  area.setSelectionRange(range.start, range.end);
}
