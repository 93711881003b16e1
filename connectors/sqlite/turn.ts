/** While the owner answers one question it serves nobody else: longer ones are asked again for the rest. */
const turnMs = 6;

/** Says whether this turn may go on; the first time it always does, so that every turn gets somewhere. */
export function beginTurn(): () => boolean {
  const until = performance.now() + turnMs;
  let isFirst = true;
  return () => {
    const mayGoOn = isFirst || performance.now() < until;
    isFirst = false;
    return mayGoOn;
  };
}
