import type { Issue } from '../../issue.ts';
import { isPlainObject } from '../target.ts';
import { GroupDraft, SegmentDraft } from './draft.ts';
import type { CompiledEvent, CompiledV2Message } from './message.ts';
import type { Node } from './node.ts';
import type { ReverseRun } from './run.ts';

/** The map of a message and the event it is of. */
export interface Choice {
  readonly map: CompiledV2Message;
  readonly event: CompiledEvent;
}

/**
 * Which message is made: the event that was asked for, else that of the MessageHeader, else the first map for a
 * resource that is there, with the first of its events that fits the resource.
 */
export function chooseMessage(
  maps: readonly CompiledV2Message[],
  run: ReverseRun,
  asked: string | undefined,
): Choice | Issue {
  const stated = asked ?? findStated(run, maps);
  if (stated !== undefined) {
    for (const map of maps) {
      const event = map.events.find((known) => known.event === stated);
      if (event !== undefined) return { map, event };
    }
    return toUnknown(stated, maps);
  }
  for (const map of maps) {
    const main = findMain(map, run);
    const event =
      main && map.events.find(({ when }) => when === undefined || isMet(when, run, main));
    if (event) return { map, event };
  }
  return toUnmapped(maps);
}

function findMain({ types }: CompiledV2Message, run: ReverseRun): Node | undefined {
  for (const type of types) {
    const [found] = run.input.ofType(type);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMet(when: NonNullable<CompiledEvent['when']>, run: ReverseRun, node: Node): boolean {
  const frame = {
    run,
    group: new GroupDraft(),
    segment: new SegmentDraft('MSH', 1),
    base: undefined,
    taken: new Set<string>(),
    agreeOnly: false,
  };
  return when(frame, node);
}

/** A MessageHeader that was made of a message names its event: `A08`, with the code of the message as its name. */
function findStated(run: ReverseRun, maps: readonly CompiledV2Message[]): string | undefined {
  const [header] = run.input.ofType('MessageHeader');
  const coding = isPlainObject(header?.value) ? header.value['eventCoding'] : undefined;
  if (!isPlainObject(coding)) return undefined;
  const { code, display } = coding;
  if (typeof code !== 'string') return undefined;
  const known = maps.flatMap(({ events }) => events.map(({ event }) => event));
  const [named = ''] = /^[A-Z]{3}/.exec(typeof display === 'string' ? display : '') ?? [];
  return (
    known.find((event) => event === `${named}^${code}`) ??
    known.find((event) => event === code || event.endsWith(`^${code}`))
  );
}

const list = (maps: readonly CompiledV2Message[]): string =>
  maps.flatMap(({ events }) => events.map(({ event }) => event)).join(', ');

function toUnknown(event: string, maps: readonly CompiledV2Message[]): Issue {
  const found = /^[A-Z]{3}\^[A-Z0-9]{3}$/.test(event) ? event : 'another';
  return {
    code: 'event-unmapped',
    severity: 'error',
    location: 'MSH-9',
    message: `Expected an event that has a map (${list(maps)}), found ${found}. Ask for one of these, or add a message map.`,
  };
}

function toUnmapped(maps: readonly CompiledV2Message[]): Issue {
  const types = [...new Set(maps.flatMap((map) => map.types))].join(', ');
  return {
    code: 'resource-unmapped',
    severity: 'error',
    message: `Expected a resource that a message is made for (${types}), or a Bundle with one, found none. Add a message map, or give its event.`,
  };
}
