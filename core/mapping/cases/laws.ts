import type { Resource } from '@medplum/fhirtypes';
import { isRepeatable } from '../../fhir/bundle.ts';
import type { Hl7Message } from '../../hl7v2/message.ts';
import type { MappingResult } from '../mapper.ts';
import { readPath } from './fact.ts';

/** What holds for whatever is made of a message, mapped with provenance; each text is one breach. */
export function findBreaches(message: Hl7Message, result: MappingResult): readonly string[] {
  return [
    ...findUnrepeatable(result),
    ...findUnresolved(result),
    ...findFalseTraces(message, result),
    ...findUntraced(result.resource?.entry ?? [], 'Bundle.entry', toTargets(result)).map(
      (path) => `${path} comes from nowhere: no provenance names it`,
    ),
    ...result.unconsumed
      .filter((path) => !message.get(path))
      .map((path) => `${path} is listed as unconsumed, and is empty`),
  ];
}

function findUnrepeatable({ resource }: MappingResult): readonly string[] {
  const entries = resource?.entry ?? [];
  const requests = entries.map(({ request }) => JSON.stringify(request));
  const twice = requests.filter((request, index) => requests.indexOf(request) !== index);
  return [
    ...entries
      .filter((entry) => !isRepeatable(entry))
      .map(({ request }) => `${request?.url ?? 'An entry'} cannot be sent twice`),
    ...twice.map((request) => `Two entries have the request ${request}`),
  ];
}

function findUnresolved({ resource }: MappingResult): readonly string[] {
  const urls = new Set(resource?.entry?.map(({ fullUrl }) => fullUrl));
  return (resource?.entry ?? []).flatMap((entry) => {
    const { contained = [] } = entry.resource as { readonly contained?: readonly Resource[] };
    const within = new Set(contained.map(({ id }) => `#${id}`));
    const references = JSON.stringify(entry.resource).matchAll(/"reference":"([^"]+)"/g);
    return [...references]
      .map(([, url]) => url ?? '')
      .filter((url) => !urls.has(url) && !within.has(url))
      .map((url) => `The reference ${url} names no entry`);
  });
}

function findFalseTraces(message: Hl7Message, result: MappingResult): readonly string[] {
  const root = { Bundle: result.resource };
  return result.provenance.flatMap(({ target, source, rule }) => [
    ...(readPath(root, target) === undefined ? [`${rule} is said to have made ${target}`] : []),
    ...(source.includes('-') && !message.get(source)
      ? [`${rule} is said to have read ${source}`]
      : []),
  ]);
}

const toTargets = ({ provenance }: MappingResult): ReadonlySet<string> =>
  new Set(provenance.map(({ target }) => target));

/** Elements that the engine makes by itself, beside the identifiers `urn:hilum:…`. */
const made = /\.(resourceType|fullUrl|id|request\..*)$/;

/** The paths of all leaves for which neither they nor anything around them has an entry. */
function findUntraced(value: unknown, at: string, known: ReadonlySet<string>): string[] {
  if (known.has(at)) return [];
  if (typeof value !== 'object' || value === null) return made.test(at) ? [] : [at];
  if ('system' in value && String(value.system).startsWith('urn:hilum:')) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    findUntraced(inner, Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`, known),
  );
}
