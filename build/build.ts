import { buildConsole } from './console.ts';
import { writeDefinitions } from './definitions/definitions.ts';
import { buildConformanceThread, writeFhirDefinitions } from './fhir-definitions.ts';
import { writeFhirValidators } from './fhir-validators.ts';
import { writeMappingSchemas } from './mapping-schemas.ts';
import { buildNodes } from './nodes.ts';

// What cannot run as its sources: Node-RED loads no TypeScript, and neither does a browser.
const { names, milliseconds } = await buildNodes();
await writeMappingSchemas();
const validators = await writeFhirValidators();
const fhir = writeFhirDefinitions();
await buildConformanceThread();
const definitions = await writeDefinitions();
const startedAt = performance.now();
await buildConsole();
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(
  `Built ${names.length} nodes in ${milliseconds} ms, the checks of ${validators.types} FHIR types, ${fhir.definitions} definitions of FHIR, those of ` +
    `${definitions.versions} versions in ${definitions.milliseconds} ms and the console in ${seconds} s.`,
);
