interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly answer: PromiseWithResolvers<Answer>;
}

/** The questions that come in one turn of the event loop, asked as one: its answers are in their order. */
export class JoinedQuestions<Question, Answer> {
  readonly #askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  #waiting: Waiting<Question, Answer>[] = [];

  constructor(askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    this.#askAll = askAll;
  }

  /** Rejects as the whole of them does. */
  ask(question: Question): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    // When all that this turn has set off has come to its question.
    if (this.#waiting.length === 0) process.nextTick(() => void this.#askWaiting());
    this.#waiting.push({ question, answer });
    return answer.promise;
  }

  async #askWaiting(): Promise<void> {
    const asked = this.#waiting;
    this.#waiting = [];
    try {
      const answers = await this.#askAll(asked.map(({ question }) => question));
      for (const [index, { answer }] of asked.entries()) answer.resolve(answers[index] as Answer);
    } catch (error) {
      for (const { answer } of asked) answer.reject(error);
    }
  }
}
