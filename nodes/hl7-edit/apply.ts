import { buildError, findFailure, type HilumError } from '../../core/errors.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import type { Edit, Hl7EditConfig } from './definition.ts';

/** The value of a property of `msg` such as `patient.id`; undefined where there is none. */
export type ReadProperty = (name: string) => unknown;

/** What an edit that has nothing to work on says; they are passed over where the node is told so. */
const missingCodes = ['segment-missing', 'repetition-missing', 'value-missing'];

/**
 * The message with every edit made, one after the other, and how many were. Throws a permanent HilumError as
 * Hl7Message.set does, and `value-missing` where the property or the place to copy from is not there.
 */
export function applyEdits(
  message: Hl7Message,
  { edits, missing }: Pick<Hl7EditConfig, 'edits' | 'missing'>,
  readProperty: ReadProperty,
): { readonly message: Hl7Message; readonly made: number } {
  let edited = message;
  let made = 0;
  for (const edit of edits) {
    try {
      edited = applyEdit(edited, edit, readProperty);
      made += 1;
    } catch (error) {
      const code = findFailure(error)?.issues[0]?.code ?? '';
      if (missing !== 'skip' || !missingCodes.includes(code)) throw error;
    }
  }
  return { message: edited, made };
}

function applyEdit(message: Hl7Message, edit: Edit, readProperty: ReadProperty): Hl7Message {
  const path = edit.path.trim();
  if (edit.action === 'remove') return message.remove(path);
  if (edit.source === 'path') return copy(message, path, edit);
  const value = edit.source === 'text' ? edit.value : readText(edit.value.trim(), readProperty);
  return edit.action === 'set' ? message.set(path, value) : message.append(path, value);
}

/** With everything that it consists of: a name stays a name, an identifier keeps its authority. */
function copy(message: Hl7Message, path: string, { action, value }: Edit): Hl7Message {
  const [place] = message.places(value.trim());
  if (place === undefined) throw refuse(`nothing stands at ${value.trim()} to be copied`);
  const raw = message.text.slice(place.range.start, place.range.end);
  return action === 'set' ? message.setRaw(path, raw) : message.appendRaw(path, raw);
}

function readText(name: string, readProperty: ReadProperty): string {
  const value = readProperty(name);
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      throw refuse(`msg.${name} is ${value === null ? 'null' : typeof value}`);
  }
}

function refuse(found: string): HilumError {
  const message = `Expected a value for the edit, but ${found}.`;
  return buildError('permanent', 'value-missing', message);
}
