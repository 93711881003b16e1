import type { MappingOffer, TryIssue } from '../shared/mapping-offer.ts';
import type { EditorNode } from './red.ts';

const field = (name: string): JQuery => $(`#node-input-${name}`);
const textIn = (name: string): string => String(field(name).val() ?? '').trim();
const namesIn = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/**
 * Fills the dialog's choices of mappings (`mapping`, `map`, `event`, `layers`, `pin`, `table`, as far as it has them) with what is
 * installed, and shows whether the pinned version is the one of now. What was chosen before stays chosen, be it there or
 * not.
 */
export function prepareMappingPicker(
  node: EditorNode & {
    readonly mapping?: string;
    readonly map?: string;
    readonly event?: string;
    readonly table?: string;
  },
): void {
  const text = (key: string, values?: Readonly<Record<string, string>>): string =>
    node._(`hilum.mapping.${key}`, values);
  let offer: MappingOffer | undefined;
  const showPin = (): void => showVersion(offer, text);
  const ask = (): void => {
    const layers = textIn('layers');
    // A variable is only known where the flow runs.
    const asked = layers.includes('${') ? '' : layers;
    $.getJSON('hilum/mappings', { layers: asked, events: field('event').length > 0 })
      .done((answer: MappingOffer) => {
        offer = answer;
        fillMaps(answer, String(field('mapping').val() ?? node.mapping ?? ''), text);
        fillFhirMaps(answer, String(field('map').val() ?? node.map ?? ''), text);
        fillEvents(answer, String(field('event').val() ?? node.event ?? ''), text);
        fillTables(answer, String(field('table').val() ?? node.table ?? ''));
        fillLayers(answer, ask);
        $('.hilum-mapping-problem').text('');
        showPin();
      })
      .fail(
        ({
          responseJSON,
        }: {
          readonly responseJSON?: { readonly issues?: readonly TryIssue[] };
        }) => {
          const [issue] = responseJSON?.issues ?? [];
          $('.hilum-mapping-problem').text(issue?.message ?? text('unreachable'));
        },
      );
  };
  fillMaps(undefined, node.mapping ?? '', text);
  fillFhirMaps(undefined, node.map ?? '', text);
  fillEvents(undefined, node.event ?? '', text);
  fillTables(undefined, node.table ?? '');
  field('layers').on('change', ask);
  field('mapping').add(field('map')).on('change', showPin);
  field('pin').on('input', showPin);
  $('.hilum-mapping-pin-now').on('click', () => {
    field('pin')
      .val(currentVersion(offer) ?? '')
      .trigger('change');
    showPin();
  });
  ask();
}

type Text = (key: string, values?: Readonly<Record<string, string>>) => string;

/** The maps, each with its message types; first that each message's own type decides. */
function fillMaps(offer: MappingOffer | undefined, chosen: string, text: Text): void {
  const select = field('mapping');
  if (select.length === 0) return;
  select.empty().append($('<option>').val('').text(text('own')));
  const { maps = [] } = offer ?? {};
  for (const { id, messages } of maps) {
    const options = messages.map((type) => $('<option>').val(type).text(type));
    select.append($('<optgroup>').attr('label', id).append(options));
  }
  keepChosen(select, chosen);
}

/** The maps to FHIR; first that an HL7 v2 message is made. */
function fillFhirMaps(offer: MappingOffer | undefined, chosen: string, text: Text): void {
  const select = field('map');
  if (select.length === 0) return;
  select.empty().append($('<option>').val('').text(text('toV2')));
  for (const { id } of offer?.fromFhir?.maps ?? []) {
    select.append($('<option>').val(id).text(id));
  }
  keepChosen(select, chosen);
}

function fillEvents(offer: MappingOffer | undefined, chosen: string, text: Text): void {
  const select = field('event');
  if (select.length === 0) return;
  select.empty().append($('<option>').val('').text(text('ownEvent')));
  for (const event of offer?.events ?? []) select.append($('<option>').val(event).text(event));
  keepChosen(select, chosen);
}

function fillTables(offer: MappingOffer | undefined, chosen: string): void {
  const select = field('table');
  if (select.length === 0) return;
  select.empty().append($('<option>').val('').text(''));
  for (const id of offer?.tables ?? []) select.append($('<option>').val(id).text(id));
  keepChosen(select, chosen);
}

/** What is not there, or is a variable, is a choice all the same: it was made before. */
function keepChosen(select: JQuery, chosen: string): void {
  const values = select.find('option').toArray();
  if (!values.some((option) => $(option).val() === chosen)) {
    select.append($('<option>').val(chosen).text(chosen));
  }
  select.val(chosen);
}

/** A button a layer: it puts the layer behind those that are chosen, or takes it away. */
function fillLayers({ layers }: MappingOffer, ask: () => void): void {
  const chosen = namesIn(textIn('layers'));
  const buttons = layers.map((layer) =>
    $('<button type="button" class="red-ui-button red-ui-button-small hilum-mapping-layer">')
      .text(layer)
      .attr('aria-pressed', String(chosen.includes(layer)))
      .toggleClass('selected', chosen.includes(layer))
      .on('click', () => {
        const now = namesIn(textIn('layers'));
        const next = now.includes(layer) ? now.filter((name) => name !== layer) : [...now, layer];
        field('layers').val(next.join(', '));
        ask();
      }),
  );
  $('.hilum-mapping-layers').empty().append(buttons);
}

/** Of the map that is chosen, with the layers that are chosen; undefined where that is not known here. */
function currentVersion(offer: MappingOffer | undefined): string | undefined {
  const type = textIn('mapping');
  if (offer === undefined || textIn('layers').includes('${')) return undefined;
  if (field('map').length > 0) {
    const id = textIn('map');
    const { maps = [], version } = offer.fromFhir ?? {};
    return id === '' ? version : maps.find((map) => map.id === id)?.version;
  }
  if (type === '') return offer.version;
  return offer.maps.find(({ messages }) => messages.includes(type))?.version;
}

function showVersion(offer: MappingOffer | undefined, text: Text): void {
  const now = currentVersion(offer);
  const pinned = textIn('pin');
  const differs = now !== undefined && pinned !== '' && pinned !== now;
  const key = pinned === '' ? 'unpinned' : differs ? 'differs' : 'same';
  $('.hilum-mapping-pin-state')
    .text(now === undefined ? '' : text(key, { version: now }))
    .css('color', differs ? 'var(--red-ui-text-color-error)' : '');
  $('.hilum-mapping-pin-now').prop('disabled', now === undefined);
}
