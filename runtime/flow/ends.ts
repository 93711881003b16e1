import { tell } from '../process/child.ts';
import { findFunctionNode } from '../process/function-frame.ts';
import { sayLastWords, type LastWords } from '../process/last-words.ts';
import { guardLoops, type Running } from '../process/loop-guard.ts';

/**
 * Whatever in the flows ends this worker says before whose it was: an endless loop, an error that nobody awaits, a call
 * of `process.exit`. So the message is not run again, and those beside it are.
 */
export function watchEnds(
  running: () => Running | undefined,
  { loopMs }: { readonly loopMs: number },
): void {
  guardLoops({ allowedMs: loopMs, running });
  process.on('uncaughtException', (error: unknown) => {
    // Its text may quote a message: its name is enough.
    const { name, stack } = toError(error);
    sayLastWords(toWords(`left an error that nobody awaits (${name})`, stack, running()));
    // This worker ends, its messages are delivered again.
    tell({ type: 'failed', message: `uncaught ${name}` });
    process.exit(1);
  });
  process.on('exit', () => {
    const words = toWords('ended the process', new Error().stack ?? '', running());
    // Where neither is known, nobody's code called it.
    if (words.nodeId !== undefined || words.messageId !== undefined) sayLastWords(words);
  });
}

/** Errors of function nodes are of another realm, and no instances of ours. */
function toError(error: unknown): { readonly name: string; readonly stack: string } {
  const { name, stack } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly stack?: unknown;
  };
  return {
    // A flow may call it anything.
    name: typeof name === 'string' && /^[A-Za-z]{1,40}$/.test(name) ? name : 'thrown value',
    stack: typeof stack === 'string' ? stack : '',
  };
}

function toWords(did: string, stack: string, running: Running | undefined): LastWords {
  const nodeId = findFunctionNode(stack) ?? running?.nodeId;
  const messageId = running?.messageId;
  return {
    did,
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(messageId === undefined ? {} : { messageId }),
  };
}
