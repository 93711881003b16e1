/** How Node-RED names the code of a function node in stacks: `Function node setup:4e5d4bf9 [Route]`. */
const frame = /Function node(?: setup| cleanup)?:([^\s:[\])]+)/;

/** The id of the innermost function node in a stack, or in the names of its frames; undefined where there is none. */
export function findFunctionNode(stack: string): string | undefined {
  return frame.exec(stack)?.[1];
}
