import type { Bundle, BundleEntry, Resource, ResourceType } from '@medplum/fhirtypes';

/** The resources of a Bundle, in its order. */
function toResources(bundle: Bundle): readonly Resource[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
}

/** The resources of one type in a Bundle, in its order. */
export function findResources<T extends ResourceType>(
  bundle: Bundle,
  type: T,
): readonly Extract<Resource, { readonly resourceType: T }>[] {
  const isOfType = (
    resource: Resource,
  ): resource is Extract<Resource, { readonly resourceType: T }> => resource.resourceType === type;
  return toResources(bundle).filter(isOfType);
}

/**
 * Whether sending the entry twice leaves the server as sending it once: it names its resource by id or by a
 * condition. FHIR R4, conditional create, update, patch and delete.
 */
export function isRepeatable({ request }: BundleEntry): boolean {
  if (request === undefined) return false;
  switch (request.method) {
    case 'POST':
      return request.ifNoneExist !== undefined && request.ifNoneExist !== '';
    case 'PUT':
    case 'DELETE':
    case 'PATCH':
      return /[/?]./.test(request.url);
    case 'GET':
    case 'HEAD':
      return true;
  }
}

/** The resource that a reference within the Bundle names by `fullUrl`. */
export function findByReference(bundle: Bundle, reference: string): Resource | undefined {
  return bundle.entry?.find(({ fullUrl }) => fullUrl === reference)?.resource;
}
