import type { Hl7Message } from '../../hl7v2/message.ts';
import { parseMessage } from '../../hl7v2/parse.ts';
import type { ReverseMapper, ReverseOptions, ReverseResult } from '../reverse.ts';
import type { MappingCase } from './document.ts';
import type { CaseFinding, CaseResult } from './result.ts';

const date = '20260102093000+0100';

/** Makes a message of the resources of a case and compares it with what the case says. */
export function runBackCase(one: MappingCase, reverse: ReverseMapper): CaseResult {
  const firedBack = new Set<string>();
  const entry = (one.resources ?? []).map((resource) => ({ resource }));
  const bundle = { resourceType: 'Bundle', type: 'collection', entry };
  const options: ReverseOptions = {
    date,
    ...(one.event === undefined ? {} : { event: one.event }),
    ...(one.version === undefined ? {} : { version: one.version }),
  };
  const result = reverse.map(bundle, { ...options, onRule: (rule) => firedBack.add(rule) });
  const isSame = reverse.map(bundle, options).message === result.message;
  const findings: readonly CaseFinding[] = [
    ...compareValues(one, result),
    ...compareLists(one, result),
    ...(isSame
      ? []
      : [{ kind: 'law' as const, message: 'The same resources become another message' }]),
  ];
  return { case: one, findings, fired: new Set(), firedBack, resource: null };
}

function compareValues({ values = {} }: MappingCase, { message }: ReverseResult): CaseFinding[] {
  const parsed = message === null ? undefined : parseMessage(message);
  if (parsed?.ok !== true) return [{ kind: 'message', message: 'expected a message, found none' }];
  return Object.entries(values).flatMap(([path, expected]) => {
    const found = readValue(parsed.message, path);
    if (expected === '*' ? found !== '' : found === expected) return [];
    const text = `${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
    return [{ kind: 'value' as const, message: text }];
  });
}

const readValue = (message: Hl7Message, path: string): string => message.get(path) ?? '';

function compareLists(one: MappingCase, { unconsumed, issues }: ReverseResult): CaseFinding[] {
  const lists = [
    ['unconsumed', one.unconsumed, unconsumed],
    ['issues', one.issues, issues.map(({ code }) => code)],
  ] as const;
  return lists.flatMap(([kind, expected, found]) => {
    if (expected === undefined || JSON.stringify(expected) === JSON.stringify(found)) return [];
    const text = `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
    return [{ kind, message: text }];
  });
}

/** The rules of the way back that what became of a message exercises; what it becomes is no matter of the case. */
export function findFiredBack(
  resource: unknown,
  message: Hl7Message,
  reverse: ReverseMapper,
): ReadonlySet<string> {
  const firedBack = new Set<string>();
  const event = `${message.get('MSH-9.1') ?? ''}^${message.get('MSH-9.2') ?? ''}`;
  if (!reverse.events.includes(event)) return firedBack;
  reverse.map(resource, { date, event, onRule: (rule) => firedBack.add(rule) });
  return firedBack;
}
