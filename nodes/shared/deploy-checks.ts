import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { readProfile } from '../../connectors/file/profile-files.ts';
import { findFailure } from '../../core/errors.ts';
import { findCharset } from '../../core/hl7v2/charset-names.ts';
import type { FlowNode } from '../../core/interface.ts';
import { buildIssue, textOf, type Contribute } from './contribution.ts';
import { findPlaceholders, resolveEnv, type Environment } from './environment.ts';
import { layerNames } from './fields.ts';
import { findChoiceIssues } from './mapping-choice.ts';
import { openShippedMappings } from './mappings.ts';

/*
 * What a deploy checks and the editor cannot: it would have to load files, or all character sets.
 */

/** The profile that the node names; undefined: none, or a variable that is not set. */
export function findProfileName(node: FlowNode, env: Environment): string | undefined {
  const name = resolveEnv(textOf(node['profile']), env);
  return name === '' || findPlaceholders(name).length > 0 ? undefined : name;
}

function readShipped(name: string): void {
  readProfile(name, { definitions: openDefinitions() });
}

/** What the node makes, and what is wrong with the profile that it names: it would fail every message. */
export function withProfile(contribute: Contribute): Contribute {
  return (node, context) => {
    const made = contribute(node, context);
    const name = findProfileName(node, context.env ?? {});
    if (name === undefined) return made;
    try {
      const { checkProfile = readShipped } = context;
      checkProfile(name);
      return made;
    } catch (error) {
      const issues = findFailure(error)?.issues;
      if (issues === undefined) throw error;
      const problems = issues.map(({ code, location, message }) =>
        buildIssue(node, code, location === undefined ? message : `${location}: ${message}`),
      );
      return { issues: [...(made.issues ?? []), ...problems] };
    }
  };
}

/** What the node makes, and whether the character set that it names is one. */
export function withCharset(contribute: Contribute): Contribute {
  return (node, context) => {
    const made = contribute(node, context);
    const name = resolveEnv(textOf(node['charset']), context.env ?? {});
    if (name === '' || findPlaceholders(name).length > 0 || findCharset(name) !== undefined) {
      return made;
    }
    const text = `charset: expected a name of table 0211, such as 8859/1 or UNICODE UTF-8, found "${name}"`;
    return { issues: [...(made.issues ?? []), buildIssue(node, 'charset-unknown', text)] };
  };
}

/** What the node makes, and what is wrong with what it has chosen of the mappings. */
export function withMappings(
  contribute: Contribute,
  { isFromFhir = false }: { readonly isFromFhir?: boolean } = {},
): Contribute {
  return (node, context) => {
    const made = contribute(node, context);
    const read = (name: string): string => resolveEnv(textOf(node[name]), context.env ?? {});
    const names = ['mapping', 'event', 'layers', 'pin', 'table', 'map'];
    const [messageType, event, layers, pin, table, map = ''] = names.map(read);
    const hasChosen = names.some((name) => read(name) !== '');
    if (!hasChosen || (made.issues ?? []).length > 0) return made;
    const parsed = layerNames(layers ?? '');
    const choice = {
      layers: parsed.ok ? parsed.value : [],
      messageType: messageType || undefined,
      event: event || undefined,
      fhirMap: isFromFhir ? map : undefined,
      pin: pin || undefined,
      table: table || undefined,
    };
    const issues = findChoiceIssues(choice, context.mappings ?? openShippedMappings());
    const problems = issues.map(({ code, location, message }) =>
      buildIssue(node, code, location === undefined ? message : `${location}: ${message}`),
    );
    return issues.length === 0 ? made : { ...made, issues: problems };
  };
}
