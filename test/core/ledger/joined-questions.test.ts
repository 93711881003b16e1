import { JoinedQuestions } from '../../../core/ledger/joined-questions.ts';

it('asks what comes in one turn of the event loop as one, and gives each its own answer', async () => {
  const asked: (readonly number[])[] = [];
  const joined = new JoinedQuestions<number, string>((numbers) => {
    asked.push(numbers);
    return Promise.resolve(numbers.map(String));
  });
  const later = async (number: number): Promise<string> => {
    await Promise.resolve();
    return joined.ask(number);
  };
  expect(await Promise.all([joined.ask(1), later(2), joined.ask(3)])).toEqual(['1', '2', '3']);
  expect(await joined.ask(4)).toBe('4');
  expect(asked).toEqual([[1, 3, 2], [4]]);
});

it('rejects all that were asked as one, and asks the next', async () => {
  let fails = true;
  const joined = new JoinedQuestions<number, number>((numbers) =>
    fails ? Promise.reject(new Error('away')) : Promise.resolve(numbers),
  );
  const results = await Promise.allSettled([joined.ask(1), joined.ask(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await joined.ask(3)).toBe(3);
});

it('asks in turn where it is told to: what comes while one is asked is the next, as one', async () => {
  const asked: { readonly numbers: readonly number[]; readonly end: (error?: Error) => void }[] =
    [];
  const joined = new JoinedQuestions<number, number>(
    (numbers) =>
      new Promise((resolve, reject) => {
        asked.push({
          numbers,
          end: (error) => {
            if (error === undefined) resolve(numbers);
            else reject(error);
          },
        });
      }),
    { inTurn: true },
  );
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const first = joined.ask(1);
  await turn();
  const second = joined.ask(2);
  await turn();
  const third = joined.ask(3);
  await turn();
  expect(asked.map(({ numbers }) => numbers)).toEqual([[1]]);
  asked[0]!.end(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await turn();
  expect(asked.map(({ numbers }) => numbers)).toEqual([[1], [2, 3]]);
  asked[1]!.end();
  expect(await Promise.all([second, third])).toEqual([2, 3]);
  const fourth = joined.ask(4);
  await turn();
  asked[2]!.end();
  expect(await fourth).toBe(4);
});
