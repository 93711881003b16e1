interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly answer: PromiseWithResolvers<Answer>;
}

/**
 * The questions that come in one turn of the event loop, asked as one: its answers are in their order. `inTurn`: what comes
 * while one is asked waits for its answers, and is the next.
 */
export class JoinedQuestions<Question, Answer> {
  readonly #askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #inTurn: boolean;
  #waiting: Waiting<Question, Answer>[] = [];
  #asking = false;

  constructor(
    askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>,
    { inTurn = false }: { readonly inTurn?: boolean } = {},
  ) {
    this.#askAll = askAll;
    this.#inTurn = inTurn;
  }

  /** Rejects as the whole of them does. */
  ask(question: Question): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    // When all that this turn has set off has come to its question.
    if (this.#waiting.length === 0 && !this.#asking) {
      process.nextTick(() => void this.#askWaiting());
    }
    this.#waiting.push({ question, answer });
    return answer.promise;
  }

  async #askWaiting(): Promise<void> {
    const asked = this.#waiting;
    this.#waiting = [];
    this.#asking = this.#inTurn;
    try {
      const answers = await this.#askAll(asked.map(({ question }) => question));
      for (const [index, { answer }] of asked.entries()) answer.resolve(answers[index] as Answer);
    } catch (error) {
      for (const { answer } of asked) answer.reject(error);
    }
    this.#asking = false;
    if (this.#inTurn && this.#waiting.length > 0) void this.#askWaiting();
  }
}
