import type { Definitions } from '../hl7v2/definitions/definitions.ts';
import { parseMessage } from '../hl7v2/parse.ts';
import { validate } from '../hl7v2/validate.ts';
import { type Issue, isValid } from '../issue.ts';
import type { MappingFile } from './document.ts';
import type { Provenance } from './mapper.ts';
import { type CompiledReverse, compileReverseFiles } from './reverse/compile.ts';
import { GroupDraft } from './reverse/draft.ts';
import {
  type Party,
  addHeader,
  completeHeader,
  isHeaderDate,
  toControlId,
} from './reverse/header.ts';
import { Input } from './reverse/input.ts';
import { type Ignored, withReferred } from './reverse/ignored.ts';
import type { ReverseRule } from './reverse/invert.ts';
import { type Choice, chooseMessage } from './reverse/choose.ts';
import { findUnconsumed } from './reverse/unconsumed.ts';
import { ReverseRun } from './reverse/run.ts';
import type { UnmappedHeld } from './run.ts';
import { withoutFalseUnits } from './units.ts';

/** What a message says beside what its resources do. */
export interface ReverseOptions {
  /** MSH-7, an HL7 timestamp; the caller gives it, since core reads no clock. */
  readonly date: string;
  /** `ADT^A08`. Without it the MessageHeader says it, else the resources do. */
  readonly event?: string;
  /** MSH-12; 2.5.1 without. */
  readonly version?: string;
  /** MSH-10; without, made of input, event and date, so that equal calls give equal ids. */
  readonly controlId?: string;
  /** MSH-11; without, what the MessageHeader says, else P. */
  readonly processingId?: string;
  readonly sender?: Party;
  readonly receiver?: Party;
  /** With them the message is checked against its version, and what is found is among the issues. */
  readonly definitions?: Definitions;
  /** Told every rule that wrote something, as `PID.Patient#PID-5.name`: for rule coverage. */
  readonly onRule?: (rule: string) => void;
  /** Also say where every value came from. */
  readonly provenance?: boolean;
}

export interface ReverseResult {
  /** Segments end with CR. Null where nothing can be made of the input, which `issues` explain. */
  readonly message: string | null;
  /** `ORU^R01`; undefined where none was found. */
  readonly event: string | undefined;
  readonly issues: readonly Issue[];
  /** Paths of elements that no rule took: `Bundle.entry[1].resource.photo[0].url`; of a resource of which nothing was used, its own. */
  readonly unconsumed: readonly string[];
  /** What maps say that they leave out, and why; what nothing else refers to is left out with it. */
  readonly ignored: readonly Ignored[];
  /** Codes for which the message is to wait: it must not go on. */
  readonly held: readonly UnmappedHeld[];
  /** `target` is a path into the message, `source` one into the input. Empty unless asked for. */
  readonly provenance: readonly Provenance[];
}

/** Makes HL7 v2 messages of FHIR R4. Safe to share: it holds no state between messages. */
export interface ReverseMapper {
  /**
   * One message of a resource, or of a Bundle of what belongs together. Never throws for data. Deterministic:
   * the same input and options give the same message, byte for byte.
   */
  map(resource: unknown, options: ReverseOptions): ReverseResult;
  /** What may be asked for: `ORU^R01`, `ADT^A08`. */
  readonly events: readonly string[];
  /** What becomes of each rule of a map on the way back; undefined where there is no such map. */
  rulesOf(map: string): readonly ReverseRule[] | undefined;
}

export type CompileReverseResult =
  | { readonly ok: true; readonly mapper: ReverseMapper }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Compiles mapping files for the way from FHIR to HL7 v2, or gives everything that is wrong with that way at
 * once, each issue located as `file:rule`.
 */
export function compileReverse(
  files: readonly MappingFile[],
  options: { readonly layers?: readonly string[] } = {},
): CompileReverseResult {
  const issues: Issue[] = [];
  const compiled = compileReverseFiles(files, options.layers ?? [], issues);
  if (!isValid(issues)) return { ok: false, issues };
  return {
    ok: true,
    mapper: {
      events: [
        ...new Set(compiled.messages.flatMap(({ events }) => events.map(({ event }) => event))),
      ],
      rulesOf: (map) => compiled.rules.get(map),
      map: (resource, mapOptions) => mapResource(resource, compiled, mapOptions),
    },
  };
}

function mapResource(
  resource: unknown,
  compiled: CompiledReverse,
  options: ReverseOptions,
): ReverseResult {
  const units = withoutFalseUnits(resource);
  const input = new Input(units.resource);
  const { version = '2.5.1' } = options;
  const run = new ReverseRun(input, compiled.tables, { version, onRule: options.onRule });
  if (!isHeaderDate(options.date)) return toNothing(dateInvalid);
  const choice = chooseMessage(compiled.messages, run, options.event);
  if ('code' in choice) return toNothing(choice);
  const text = write(choice, run, { ...options, version, resource });
  const parsed = parseMessage(text);
  const findings = parsed.ok ? check(parsed.message, options, run.issues) : parsed.issues;
  run.tellRules();
  const ignored = withReferred(run.ignored, input, run.consumed);
  return {
    message: text,
    event: choice.event.event,
    issues: [...units.issues, ...run.issues, ...findings],
    unconsumed: findUnconsumed(input, run.consumed, new Set(ignored.map(({ source }) => source))),
    ignored,
    held: run.held,
    provenance: options.provenance === true ? run.written : [],
  };
}

type Writing = ReverseOptions & { readonly version: string; readonly resource: unknown };

function write({ map, event }: Choice, run: ReverseRun, options: Writing): string {
  const root = new GroupDraft();
  const { date, version } = options;
  const controlId =
    options.controlId ?? toControlId(event.event, version, date, JSON.stringify(options.resource));
  const header = addHeader(root, { ...options, ...event, version, controlId });
  map.build(run, root);
  const [, ...body] = [...root.segments()].map((segment) => segment.toText());
  completeHeader(header, header.toText() + body.join(''));
  return [header.toText(), ...body].map((line) => `${line}\r`).join('');
}

/** What a rule has missed already is not said twice. */
function check(
  message: Parameters<typeof validate>[0],
  { definitions }: ReverseOptions,
  known: readonly Issue[],
): readonly Issue[] {
  if (definitions === undefined) return [];
  const places = new Set(known.map(({ location }) => location));
  return validate(message, definitions).filter(({ location }) => !places.has(location));
}

function toNothing(issue: Issue): ReverseResult {
  return {
    message: null,
    event: undefined,
    issues: [issue],
    unconsumed: [],
    ignored: [],
    held: [],
    provenance: [],
  };
}

const dateInvalid: Issue = {
  code: 'date-invalid',
  severity: 'error',
  location: 'MSH-7',
  message:
    'Expected the date of the message as HL7 writes it (20260102093000+0100), found something else.',
};
