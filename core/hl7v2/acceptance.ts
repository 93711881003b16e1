import type { Issue } from '../issue.ts';
import type { AcceptanceRules } from './acknowledgment-settings.ts';
import { unescapeText } from './escape.ts';
import type { Header } from './header.ts';

/** Every reason why the rules do not take a message with this header; none where they take it. */
export function findUnacceptable(header: Header, rules: AcceptanceRules): readonly Issue[] {
  const read = (field: string): readonly string[] => readComponents(field, header);
  const others = fields.flatMap(({ rule, position, header: name, refuse }) => {
    const entries = rules[rule] ?? [];
    // Nearly no rule is set.
    if (entries.length === 0) return [];
    const components = read(header[name]);
    if (entries.some((entry) => matches(entry, components))) return [];
    return [
      components.join('') === '' ? buildMissing(`MSH-${position}`) : refuse(entries, components),
    ];
  });
  const { messageTypes = [] } = rules;
  if (messageTypes.length === 0) return others;
  const type = header.messageType.split('^').map((part) => unescape(part, header));
  return [...others, ...findUnacceptableType(type, messageTypes)];
}

type FieldName =
  | 'sendingApplication'
  | 'sendingFacility'
  | 'receivingApplication'
  | 'receivingFacility'
  | 'processingId'
  | 'version';

interface FieldRule {
  readonly rule: Exclude<keyof AcceptanceRules, 'messageTypes'>;
  readonly position: number;
  readonly header: FieldName;
  readonly refuse: (entries: readonly string[], components: readonly string[]) => Issue;
}

const fields: readonly FieldRule[] = [
  {
    rule: 'sendingApplications',
    position: 3,
    header: 'sendingApplication',
    refuse: refuseParty('sender-not-accepted', 3, 'a sending application'),
  },
  {
    rule: 'sendingFacilities',
    position: 4,
    header: 'sendingFacility',
    refuse: refuseParty('sender-not-accepted', 4, 'a sending facility'),
  },
  {
    rule: 'receivingApplications',
    position: 5,
    header: 'receivingApplication',
    refuse: refuseParty('receiver-not-accepted', 5, 'a receiving application'),
  },
  {
    rule: 'receivingFacilities',
    position: 6,
    header: 'receivingFacility',
    refuse: refuseParty('receiver-not-accepted', 6, 'a receiving facility'),
  },
  { rule: 'processingIds', position: 11, header: 'processingId', refuse: refuseProcessingId },
  { rule: 'versions', position: 12, header: 'version', refuse: refuseVersion },
];

/** Which parties are accepted is nobody's business who is not one of them: the entries are not named. */
function refuseParty(code: string, position: number, what: string): FieldRule['refuse'] {
  const whole = `Expected ${what} that this interface accepts, found another; check the settings of the sender`;
  return (entries, [name = '']) => {
    const isKnown = entries.some((entry) => matchesText(entry.split('^', 1)[0] ?? '', name));
    const location = isKnown ? `MSH-${position}` : `MSH-${position}.1`;
    return { code, severity: 'error', location, message: whole };
  };
}

function refuseProcessingId(entries: readonly string[], [id = '']: readonly string[]): Issue {
  const isKnown = entries.some((entry) => matchesText(entry.split('^', 1)[0] ?? '', id));
  return {
    code: 'processing-id-not-accepted',
    severity: 'error',
    location: isKnown ? 'MSH-11.2' : 'MSH-11.1',
    message: `Expected one of the processing ids ${entries.join(', ')}, found another`,
  };
}

function refuseVersion(entries: readonly string[]): Issue {
  return {
    code: 'version-not-accepted',
    severity: 'error',
    location: 'MSH-12.1',
    message: `Expected one of the versions ${entries.join(', ')}, found another`,
  };
}

/** Which part of the type no entry has: the type itself, its event, or the structure that goes with both. */
function findUnacceptableType(
  type: readonly string[],
  entries: readonly string[],
): readonly Issue[] {
  const patterns = entries.map((entry) => entry.split('^'));
  const depths = patterns.map((pattern) => {
    const miss = pattern.findIndex((part, at) => {
      const value = (type[at] ?? '').trim();
      // The structure follows from the event where it is not said.
      return !(at === 2 && value === '') && !matchesText(part, value);
    });
    return miss === -1 ? pattern.length : miss;
  });
  if (depths.some((depth, at) => depth === patterns[at]?.length)) return [];
  const deepest = Math.max(...depths);
  const location = `MSH-9.${deepest + 1}`;
  if ((type[deepest] ?? '').trim() === '') return [buildMissing(location)];
  const [code, what] = typeRefusals[deepest] ?? typeRefusals[0];
  const message = `Expected ${what} that this interface takes, found another`;
  return [{ code, severity: 'error', location, message }];
}

const typeRefusals = [
  ['message-type-not-accepted', 'a message type'],
  ['event-not-accepted', 'a trigger event'],
  ['message-type-not-accepted', 'a message structure'],
] as const;

function buildMissing(location: string): Issue {
  return {
    code: 'required-field-missing',
    severity: 'error',
    location,
    message: 'Expected a value that this interface accepts, found none',
  };
}

function readComponents(field: string, header: Header): readonly string[] {
  return field.split(header.delimiters.component).map((part) => unescape(part, header).trim());
}

function unescape(text: string, { delimiters, encoding }: Header): string {
  const decoded = unescapeText(text, delimiters, encoding);
  return decoded === '""' ? '' : decoded;
}

function matches(entry: string, components: readonly string[]): boolean {
  const patterns = entry.split('^');
  const length = patterns.length === 1 ? 1 : Math.max(patterns.length, components.length);
  for (let at = 0; at < length; at++) {
    if (!matchesText(patterns[at] ?? '', components[at] ?? '')) return false;
  }
  return true;
}

/** Whether the text is the pattern, where `*` stands for any text. Linear for each `*`: no backtracking. */
function matchesText(pattern: string, text: string): boolean {
  const parts = pattern.trim().split('*');
  const first = parts[0] ?? '';
  if (parts.length === 1) return text === first;
  const last = parts.at(-1) ?? '';
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
