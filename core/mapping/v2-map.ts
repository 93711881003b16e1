import { findFailure } from '../errors.ts';
import type { Hl7Message } from '../hl7v2/message.ts';
import type { Issue } from '../issue.ts';
import { compileEach, type CompileEachResult } from './compile-each.ts';
import type { MapContext } from './map-context.ts';
import type { MappingFile } from './document.ts';
import type { Provenance } from './mapper.ts';
import type { V2MapDocument } from './v2/document.ts';
import { type V2State, type V2Step, compileV2Rule } from './v2/rule.ts';

/** Makes messages of another version or site of HL7 v2 messages. Safe to share. */
export interface V2Mapper {
  readonly id: string;
  /** Never throws for data. What no rule names stays as it stands, byte for byte. */
  map(message: Hl7Message): V2MapResult;
}

export interface V2MapResult {
  /** Null where the map is not for the message, or a rule cannot write what it should; `issues` say why. */
  readonly message: string | null;
  readonly issues: readonly Issue[];
  /** Places with content, and segments, that a rule left out: `ZPI`, `PID-4[1]`. */
  readonly dropped: readonly string[];
  /** Where every value that a rule wrote came from. */
  readonly provenance: readonly Provenance[];
}

/** Compiles all maps from HL7 v2 to HL7 v2, by id, or gives everything that is wrong with them at once. */
export function compileV2Maps(
  files: readonly MappingFile[],
  { layers }: { readonly layers?: readonly string[] } = {},
): CompileEachResult<V2Mapper> {
  return compileEach('V2Map', files, { layers, compile: compileMap });
}

function compileMap(document: V2MapDocument, { path, tables, issues }: MapContext): V2Mapper {
  const known = new Set<string>();
  const steps = document.rules.flatMap((rule): readonly V2Step[] => {
    const report = (message: string): void => {
      issues.push({
        code: 'mapping-invalid',
        severity: 'error',
        location: `${path}:${rule.id}`,
        message,
      });
    };
    if (known.has(rule.id)) report('There is another rule with this id in the map');
    known.add(rule.id);
    const step = compileV2Rule(rule, { mapId: document.id, tables, report });
    return step === undefined ? [] : [step];
  });
  return { id: document.id, map: (message) => mapMessage(message, document, steps) };
}

function mapMessage(
  message: Hl7Message,
  document: V2MapDocument,
  steps: readonly V2Step[],
): V2MapResult {
  const misfit = findMisfit(message, document);
  if (misfit !== undefined) return { message: null, issues: [misfit], dropped: [], provenance: [] };
  const state: V2State = { message, issues: [], dropped: [], provenance: [] };
  const { issues, dropped, provenance } = state;
  try {
    let at = message;
    for (const step of steps) at = step({ ...state, message: at });
    const version = document.target?.v2;
    if (version !== undefined && at.version !== version) at = at.set('MSH-12.1', version);
    return { message: at.text, issues, dropped, provenance };
  } catch (error) {
    const failure = findFailure(error);
    if (failure === undefined) throw error;
    return { message: null, issues: [...issues, ...failure.issues], dropped, provenance };
  }
}

function findMisfit(message: Hl7Message, { id, source }: V2MapDocument): Issue | undefined {
  const type = `${message.get('MSH-9.1') ?? ''}^${message.get('MSH-9.2') ?? ''}`;
  if (source?.v2 !== undefined && message.version !== source.v2) {
    return toMisfit(
      'MSH-12',
      `Expected version ${source.v2}, which the map ${id} is for, found another.`,
    );
  }
  if (source?.messages !== undefined && !source.messages.includes(type)) {
    const expected = source.messages.join(', ');
    return toMisfit(
      'MSH-9',
      `Expected one of ${expected}, which the map ${id} is for, found another.`,
    );
  }
  return undefined;
}

const toMisfit = (location: string, message: string): Issue => ({
  code: 'message-not-for-map',
  severity: 'error',
  location,
  message: `${message} Route the message elsewhere, or take another map.`,
});
