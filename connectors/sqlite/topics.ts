/**
 * Whether a topic matches a subscription's pattern, as AMQP 0-9-1 topic exchanges do: words are separated
 * by dots, `*` stands for exactly one word, `#` for any number of them, none included.
 */
export function matchesTopic(pattern: string, topic: string): boolean {
  return matchWords(pattern.split('.'), topic === '' ? [] : topic.split('.'));
}

function matchWords(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') {
    return words.length === 0
      ? matchWords(rest, words)
      : matchWords(rest, words) || matchWords(pattern, words.slice(1));
  }
  return (
    words.length > 0 && (first === '*' || first === words[0]) && matchWords(rest, words.slice(1))
  );
}
