import { Ajv2020 } from 'ajv/dist/2020.js';
import { LineCounter, parseDocument } from 'yaml';
import type { Issue } from '../../issue.ts';
import type { MappingFile } from '../document.ts';
import { describeFault, describeNoYaml, withoutBranches } from '../../schema-fault.ts';
import { isTimeZone } from '../../time-zone.ts';
import { caseSchema } from './schema.ts';

/** One case of a case file, as its author wrote it. docs/mapping.md explains every word. */
export interface CaseDocument {
  readonly name: string;
  /** The whole message, a line a segment. */
  readonly message?: string;
  /** The MSH segment before `segments`; without it that of a small ORU_R01. */
  readonly header?: string;
  /** The segments behind the header; those of OBX alone stand in a small order. */
  readonly segments?: readonly string[];
  /** What a message is made of instead, the way back: FHIR resources, put into one Bundle. */
  readonly resources?: readonly object[];
  /** The event that is asked for, the way back: `ADT^A08`; without it the resources say it. */
  readonly event?: string;
  /** The version of the message, the way back; 2.5.1 without. */
  readonly version?: string;
  /** The way back, paths of the message to what stands there: `OBR-4.1`, `OBX[2]-5`; `''` is nothing, `'*'` anything. */
  readonly values?: Readonly<Record<string, string>>;
  /** In the place of a message: a FHIR resource or Bundle, and the id of the map from FHIR to FHIR that it goes through. */
  readonly resource?: Readonly<Record<string, unknown>>;
  readonly map?: string;
  /** The layers over the maps, in order; without them the one whose folder the file lies in. */
  readonly layers?: readonly string[];
  /** The zone of times that state none: `+01:00` or `Europe/Berlin`. */
  readonly zone?: string;
  /** `Type[n].path` or `count.Type` to a value; `'*'` stands for anything that is there. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** FHIRPath expressions that must be true, over the Bundle and each resource of it. */
  readonly assert?: readonly string[];
  /** A JSON file beside the case file: the whole Bundle, `'*'` for anything that is there. */
  readonly golden?: string;
  /** Exactly these paths; not looked at where absent. */
  readonly unconsumed?: readonly string[];
  /** Exactly the codes of these issues; not looked at where absent. */
  readonly issues?: readonly string[];
}

/** A case with what its file says of it. */
export interface MappingCase extends CaseDocument {
  /** The case file, relative to the mappings folder: `tests/adt.case.yaml`. */
  readonly file: string;
  /** Where in it the case begins, 1-based. */
  readonly line: number;
  readonly layers: readonly string[];
}

const validate = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: true,
  strictRequired: false,
}).compile(caseSchema);

/** The cases of a file; what is wrong with it is pushed to `issues`, each `file:line`. */
export function parseCases(file: MappingFile, issues: Issue[]): readonly MappingCase[] {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines });
  const report = (line: number, message: string): void => {
    issues.push({
      code: 'case-invalid',
      severity: 'error',
      location: `${file.path}:${line}`,
      message,
    });
  };
  // The first says why; the others mostly follow from it.
  const [error] = document.errors;
  if (error !== undefined) {
    report(error.linePos?.[0].line ?? 1, describeNoYaml(error));
    return [];
  }
  const lineOf = (path: readonly (string | number)[]): number => {
    const node = document.getIn(path, true) as { range?: readonly number[] | null } | undefined;
    return lines.linePos(node?.range?.[0] ?? 0).line;
  };
  const content: unknown = document.toJS();
  if (!validate(content)) {
    for (const error of withoutBranches(validate.errors ?? [])) {
      const path = toSteps(error.instancePath);
      const what = path.length === 0 ? 'The file' : path.slice(1).join('.') || 'The case';
      report(lineOf(path), `${what}: ${describeFault(error)}`);
    }
    return [];
  }
  for (const [index, { zone }] of (content as readonly CaseDocument[]).entries()) {
    if (zone === undefined || isTimeZone(zone)) continue;
    report(lineOf([index, 'zone']), 'zone: expected one such as +01:00 or Europe/Berlin');
  }
  const [, layer] = /^layers\/([^/]+)\//.exec(file.path) ?? [];
  const own = layer === undefined ? [] : [layer];
  return (content as readonly CaseDocument[]).map((one, index) => ({
    ...one,
    file: file.path,
    line: lineOf([index]),
    layers: one.layers ?? own,
  }));
}

const toSteps = (pointer: string): (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/')));

const ownHeader =
  'MSH|^~\\&|LABAPP|LAB^2.16.840.1.999.2^ISO|EHRAPP|EHR|20260102093000+0100||ORU^R01^ORU_R01|M1|P|2.5.1';
const ownOrder = ['PID|||C3||Low^Al', 'OBR|1|P1|F1|24331-1^Lipids^LN|||20260102'];

/** The text of a case's message. */
export function toMessageText(one: CaseDocument): string {
  if (one.message !== undefined) return one.message.trim().replace(/\r?\n/g, '\r');
  const { segments = [] } = one;
  const bare = segments[0]?.startsWith('OBX') === true;
  return [one.header ?? ownHeader, ...(bare ? ownOrder : []), ...segments].join('\r');
}
