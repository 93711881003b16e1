interface SearchBundle {
  readonly total?: number;
  readonly entry?: readonly { readonly resource: Resource }[];
}

/** Any FHIR resource as JSON. */
export type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string };

/** How many resources of the type the EHR holds that match the search. */
export async function countInEhr(ehrUrl: string, type: string, search = ''): Promise<number> {
  const { total } = await ask(`${ehrUrl}/${type}?_summary=count${search && `&${search}`}`);
  if (total === undefined) throw new Error(`The EHR gave no total for ${type}.`);
  return total;
}

/** The resources of the type that match the search, at most a thousand. */
export async function findInEhr(
  ehrUrl: string,
  type: string,
  search: string,
): Promise<readonly Resource[]> {
  const { entry = [] } = await ask(`${ehrUrl}/${type}?_count=1000&${search}`);
  return entry.map(({ resource }) => resource);
}

async function ask(url: string): Promise<SearchBundle> {
  const response = await fetch(url, { headers: { accept: 'application/fhir+json' } });
  if (!response.ok) throw new Error(`The EHR answered ${response.status} to ${url}.`);
  return (await response.json()) as SearchBundle;
}
