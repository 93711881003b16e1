/** Frames between a handler that throws and whoever is told of it: Node-RED's logging and its hooks. */
const enoughFrames = 60;
const nodeErrorFrame = /\bNode\.error \((.*[\\/]nodes[\\/]Node\.js):/;

/**
 * Whether the error that is being reported right now was thrown by an input handler: Node-RED catches it where
 * it calls the handler and reports it from that very file, whereas a node that complains calls from its own.
 * Such a handler does nothing more for its message, and will not call `done`.
 */
export function isThrownByHandler(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = enoughFrames;
  const stack = (new Error('where').stack ?? '').split('\n');
  Error.stackTraceLimit = stackTraceLimit;
  const index = stack.findIndex((frame) => nodeErrorFrame.test(frame));
  const file = nodeErrorFrame.exec(stack[index] ?? '')?.[1];
  return file !== undefined && (stack[index + 1]?.includes(file) ?? false);
}
