import { validateFully } from '../../connectors/file/conformance.ts';
import { openFhirValidator } from '../../connectors/file/fhir-schema.ts';
import { contentTypes } from '../../core/envelope.ts';
import { HilumError } from '../../core/errors.ts';
import { isValid, type Issue } from '../../core/issue.ts';
import type { FhirMapper } from '../../core/mapping/fhir-map.ts';
import { toBlamed } from '../../core/mapping/gate.ts';
import type { FlowMessage } from '../../core/ports/flow-runtime.ts';
import { requireResource } from '../shared/fhir.ts';
import type { Validation } from '../shared/fhir-validation.ts';
import { toLeftOver } from '../shared/register-mapping.ts';

/** How a resource becomes one of another profile. */
export interface ToFhir {
  readonly mapper: FhirMapper;
  readonly validation: Validation;
  readonly profiles: readonly string[];
  readonly warnsOfLeftOver: boolean;
}

/** The resource that comes of it in its place, and its type; throws, or rejects with, a HilumError where none does. */
export function replaceByFhir(message: FlowMessage, by: ToFhir): string | Promise<string> {
  const result = by.mapper.map(requireResource(message.payload));
  const { resource, issues, unconsumed } = result;
  const found = [...issues, ...(by.warnsOfLeftOver ? unconsumed.map(toLeftOver('element')) : [])];
  if (resource === null) throw new HilumError('permanent', found);
  const finish = (checked: readonly Issue[]): string => {
    const findings = toBlamed(checked, () => result);
    if (!isValid(findings)) throw new HilumError('permanent', findings);
    message.payload = JSON.stringify(resource);
    message.contentType = contentTypes.fhirJson;
    message.issues = [...(message.issues ?? []), ...found, ...findings];
    return String(resource['resourceType']);
  };
  return by.validation === 'schema'
    ? finish(openFhirValidator()(resource))
    : validateFully(resource, by.profiles).then(finish);
}
