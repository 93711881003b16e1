/** Prints how many milliseconds it took to open all mappings, and then to map and check a first message. */
import path from 'node:path';
import { openFhirValidator } from '../../../connectors/file/fhir-schema.ts';
import { openMapper } from '../../../connectors/file/mapping-files.ts';
import { parseMessage } from '../../../core/hl7v2/parse.ts';
import { buildAdmission } from '../pipeline/messages.ts';

const bytes = buildAdmission(1);
const startedMs = performance.now();
const mapper = openMapper(path.join(import.meta.dirname, '..', '..', '..', 'mappings'));
const openedMs = performance.now();
const parsed = parseMessage(bytes);
if (!parsed.ok) throw new Error('Expected a message.');
const findings = openFhirValidator()(mapper.map(parsed.message).resource);
if (findings.length > 0) throw new Error('Expected a valid Bundle.');
console.log(openedMs - startedMs, performance.now() - openedMs);
