/** What is asked of a process, and what it answers with. */
export type Answers = Readonly<Record<string, (argument: never) => unknown>>;

/** A question on its way to another process. */
export interface Question {
  readonly id: number;
  readonly ask: string;
  readonly argument: unknown;
}

/** The answer to the question of the same id; an error is told by its text. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Answers questions of the process that started this one; may be called again, for further questions. */
export function answer(answers: Answers): void {
  process.on('message', ({ id, ask, argument }: Question) => {
    const respond = Object.hasOwn(answers, ask) ? answers[ask] : undefined;
    // Another call of answer() may know it.
    if (respond === undefined) return;
    const send = (told: Omit<Answer, 'id'>) => process.send?.({ id, ...told });
    Promise.resolve()
      .then(() => respond(argument as never))
      .then(
        (value) => send({ value }),
        (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
}
