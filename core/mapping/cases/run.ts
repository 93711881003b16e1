import type { Bundle } from '@medplum/fhirtypes';
import { parseMessage } from '../../hl7v2/parse.ts';
import type { Issue } from '../../issue.ts';
import type { Mapper, MappingResult } from '../mapper.ts';
import type { ReverseMapper } from '../reverse.ts';
import { compareMasked, type Difference } from '../compare.ts';
import { type MappingCase, toMessageText } from './document.ts';
import { readFact } from './fact.ts';
import { findBreaches } from './laws.ts';
import type { CaseFinding, CaseResult } from './result.ts';
import { findFiredBack, runBackCase } from './run-back.ts';

export type { CaseFinding, CaseResult };

/** What a case is run with. */
export interface CaseTools {
  /** With the layers of the case. */
  readonly mapper: Mapper;
  /** The way back, with the layers of the case. */
  readonly reverse: ReverseMapper;
  /** Finds what is no valid FHIR. */
  readonly validate: (resource: unknown) => readonly Issue[];
  /** What a FHIRPath expression gives over a collection; throws for one that is none. Needed by `assert` alone. */
  readonly evaluate?: (collection: readonly object[], expression: string) => readonly unknown[];
  /** The content of the golden file; undefined: there is none yet. */
  readonly golden?: unknown;
}

/** Maps the message of a case and compares what comes out with what the case says, and with what always holds. */
export function runCase(one: MappingCase, tools: CaseTools): CaseResult {
  if (one.resources !== undefined) return runBackCase(one, tools.reverse);
  const fired = new Set<string>();
  const parsed = parseMessage(toMessageText(one));
  if (!parsed.ok) {
    const message = parsed.issues.map((issue) => issue.message).join(' ');
    const findings = [{ kind: 'message' as const, message }];
    return { case: one, findings, fired, firedBack: fired, resource: null };
  }
  const options = { provenance: true, ...(one.zone === undefined ? {} : { zone: one.zone }) };
  const result = tools.mapper.map(parsed.message, {
    ...options,
    onRule: (rule) => fired.add(rule),
  });
  const again = tools.mapper.map(parsed.message, options);
  const isSame = JSON.stringify(again) === JSON.stringify(result);
  const broken = [
    ...findBreaches(parsed.message, result),
    ...(isSame ? [] : ['A redelivery becomes something else']),
    ...(result.resource === null ? [] : tools.validate(result.resource)).map(
      ({ location, message }) => `Invalid FHIR: ${location ?? 'Bundle'}: ${message}`,
    ),
  ];
  const findings: readonly CaseFinding[] = [
    ...compareFacts(one, result.resource),
    ...compareLists(one, result),
    ...compareGolden(one, result.resource, tools.golden),
    ...checkAsserts(one, result.resource, tools),
    ...broken.map((message) => ({ kind: 'law' as const, message })),
  ];
  const firedBack = findFiredBack(result.resource, parsed.message, tools.reverse);
  return { case: one, findings, fired, firedBack, resource: result.resource };
}

export function compareFacts({ facts = {} }: MappingCase, resource: Bundle | null): CaseFinding[] {
  return Object.entries(facts).flatMap(([fact, expected]) =>
    compareMasked(expected, readFact(resource, fact)).map((difference) => ({
      kind: 'fact' as const,
      message: describe(difference, fact),
    })),
  );
}

export function compareLists(
  one: MappingCase,
  result: Pick<MappingResult, 'issues' | 'unconsumed'> & { readonly resource: unknown },
): CaseFinding[] {
  const codes = result.issues.map(({ code }) => code);
  const lists = [
    ['unconsumed', one.unconsumed, result.unconsumed],
    ['issues', one.issues, codes],
  ] as const;
  const findings = lists.flatMap(([kind, expected, found]) => {
    if (expected === undefined || JSON.stringify(expected) === JSON.stringify(found)) return [];
    return [{ kind, message: `expected ${toText(expected)}, found ${toText(found)}` }];
  });
  if (one.issues !== undefined || result.resource !== null) return findings;
  return [{ kind: 'issues', message: `expected a Bundle, found nothing but ${toText(codes)}` }];
}

export function compareGolden(
  { golden: name }: MappingCase,
  resource: Bundle | null,
  golden: unknown,
): CaseFinding[] {
  if (name === undefined) return [];
  if (golden === undefined) {
    return [{ kind: 'golden', message: `${name} is not there; --update writes it` }];
  }
  return compareMasked(golden, resource).map((difference) => ({
    kind: 'golden',
    message: describe(difference, 'Bundle'),
  }));
}

export function checkAsserts(
  { assert = [] }: MappingCase,
  resource: Bundle | null,
  { evaluate }: Pick<CaseTools, 'evaluate'>,
): CaseFinding[] {
  const resources = (resource?.entry ?? []).flatMap(({ resource: inner }) => inner ?? []);
  const collection = resource === null ? [] : [resource, ...resources];
  return assert.flatMap((expression) => {
    let found: string;
    try {
      if (evaluate === undefined) throw new Error('FHIRPath is not at hand');
      const values = evaluate(collection, expression);
      if (values.length === 1 && values[0] === true) return [];
      found = values.length === 0 ? 'nothing' : values.map(toText).join(', ');
    } catch (error) {
      found = error instanceof Error ? error.message : String(error);
    }
    return [{ kind: 'assert' as const, message: `${expression}: expected true, found ${found}` }];
  });
}

function describe({ path, expected, found }: Difference, root: string): string {
  const where = path === '' || path.startsWith('[') ? `${root}${path}` : `${root}.${path}`;
  return `${where}: expected ${toText(expected)}, found ${toText(found)}`;
}

const toText = (value: unknown): string =>
  value === undefined ? 'nothing' : JSON.stringify(value);
