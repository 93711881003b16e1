import { openDefinitions } from '../../connectors/file/definition-files.ts';
import { openProfile } from '../../connectors/file/profile-files.ts';
import { HilumError } from '../../core/errors.ts';
import { findVersion } from '../../core/hl7v2/definitions/versions.ts';
import type { Hl7Message } from '../../core/hl7v2/message.ts';
import { openCopy } from '../../core/hl7v2/profile/profile-copy.ts';
import { validateByProfile } from '../../core/hl7v2/profile/validate-by-profile.ts';
import { validate } from '../../core/hl7v2/validate.ts';
import type { Issue } from '../../core/issue.ts';
import type { FlowRuntime } from '../../core/ports/flow-runtime.ts';
import { textOf } from '../shared/contribution.ts';
import { resolveEnv } from '../shared/environment.ts';
import { contribute, type Hl7ValidateConfig } from './definition.ts';

/** Everything that is wrong with a message. */
export type Check = (message: Hl7Message) => readonly Issue[];

/**
 * The check that a node is configured to make, by its version, its profile, or MSH-12. `findProfile`: profiles as they
 * were deployed; without it, their files. Throws a permanent HilumError where that cannot be read, which a deploy would
 * have refused.
 */
export function compileCheck(
  config: Pick<Hl7ValidateConfig, 'version' | 'profile'>,
  env: Readonly<Record<string, string | undefined>>,
  findProfile?: FlowRuntime['findProfile'],
): Check {
  const node = { ...config, id: '', type: 'hl7 validate' };
  const { issues = [] } = contribute(node, { interface: '', defaults: { bind: '' }, env });
  if (issues.length > 0) throw new HilumError('permanent', issues);
  const definitions = openDefinitions();
  const name = resolveEnv(textOf(config.profile), env);
  if (name !== '') {
    const profile =
      findProfile === undefined
        ? openProfile(name, { definitions })
        : openCopy(findProfile(name), definitions);
    return (message) => validateByProfile(message, profile, definitions);
  }
  const version = findVersion(resolveEnv(textOf(config.version), env));
  return (message) =>
    validate(message, version === undefined ? definitions : definitions.of(version));
}
