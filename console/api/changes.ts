import { Router, type RequestHandler } from 'express';
import { compareMessages, type Difference } from '../../core/hl7v2/compare.ts';
import { parseMessage } from '../../core/hl7v2/parse.ts';
import { unpackChanges } from '../../core/payload-changes.ts';
import { contentTypes, type Envelope } from '../../core/envelope.ts';
import type { Ledger, Trace } from '../../core/ports/ledger.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { cutDifferences } from './differences.ts';
import { HttpError, handle } from './http.ts';
import { toNodeChanges, type NodeChangesView } from './node-changes.ts';

/** `GET /api/messages/ID/changes`, on the local socket alone: holds patient data. */
export interface ChangesView {
  /** One for each message of the trace that was made from another of it. */
  readonly steps: readonly ChangeStepView[];
  /** One for each message of the trace whose payload the nodes of its flow changed, as far as that is kept. */
  readonly nodes: readonly NodeChangesView[];
}

/** What differs between a message and the one it was made from. */
interface ChangeStepView {
  readonly from: string;
  readonly to: string;
  /** `same`: byte for byte; `fields`: both are HL7 v2; `other`: they cannot be compared by field. */
  readonly kind: 'same' | 'fields' | 'other';
  readonly contentTypes: readonly [from: string, to: string];
  readonly bytes: readonly [from: number, to: number];
  /** At most 200, each value cut at 200 characters. */
  readonly differences: readonly Difference[];
  /** How many there are. */
  readonly total: number;
}

interface Options {
  readonly ledger: Pick<Ledger, 'trace' | 'read' | 'changes'>;
  readonly logger: Logger;
}

/** Of each kind. */
const maxSteps = 50;

/** Before and after: mounted where only the user that runs Hilum comes. Who looks is logged. */
export function buildChangesRouter(options: Options, admit: RequestHandler): Router {
  const router = Router();
  router.get(
    '/messages/:id/changes',
    admit,
    handle(async (request, response) => {
      const id = request.params['id'] ?? '';
      const trace = await options.ledger.trace(id);
      if (trace === undefined) {
        throw new HttpError(404, 'message-unknown', 'Expected the id of a message in the ledger.');
      }
      const steps = await findChanges(options.ledger, trace);
      const nodes = await findNodeChanges(options.ledger, trace);
      const by = String(response.locals['user']);
      options.logger.info({ message: id, by, steps: steps.length }, 'contents of messages shown');
      response.set('Cache-Control', 'no-store').json({ steps, nodes } satisfies ChangesView);
    }),
  );
  return router;
}

async function findChanges(
  ledger: Pick<Ledger, 'read'>,
  trace: Trace,
): Promise<readonly ChangeStepView[]> {
  const steps: ChangeStepView[] = [];
  for (const { id: to, causationId } of trace.messages) {
    if (causationId === undefined || steps.length === maxSteps) continue;
    const [before, after] = await Promise.all([ledger.read(causationId), ledger.read(to)]);
    if (before !== undefined && after !== undefined) steps.push(compare(before, after));
  }
  return steps;
}

async function findNodeChanges(
  ledger: Pick<Ledger, 'changes'>,
  { messages }: Trace,
): Promise<readonly NodeChangesView[]> {
  const found: NodeChangesView[] = [];
  for (const { id } of messages) {
    if (found.length === maxSteps) break;
    const changes = await ledger.changes(id);
    if (changes !== undefined) found.push(toNodeChanges(unpackChanges(changes)));
  }
  return found;
}

function compare(before: Envelope, after: Envelope): ChangeStepView {
  const base = {
    from: before.id,
    to: after.id,
    contentTypes: [before.contentType, after.contentType],
    bytes: [before.body.length, after.body.length],
  } as const;
  if (Buffer.compare(before.body, after.body) === 0) {
    return { ...base, kind: 'same', differences: [], total: 0 };
  }
  const [one, other] = [before, after].map(parse);
  if (one === undefined || other === undefined) {
    return { ...base, kind: 'other', differences: [], total: 0 };
  }
  return { ...base, kind: 'fields', ...cutDifferences(compareMessages(one, other)) };
}

function parse({ contentType, body, charset }: Envelope) {
  if (contentType !== contentTypes.hl7v2) return undefined;
  const parsed = parseMessage(body, charset === undefined ? {} : { charset });
  return parsed.ok ? parsed.message : undefined;
}
