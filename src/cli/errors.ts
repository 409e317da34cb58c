/** What ends a run before it began: a sentence, and what to do about it. */
export class CommandError extends Error {
  /** Lines that follow the sentence, `''` for none. */
  readonly hint: string;
  readonly exitCode: 1 | 2;

  constructor(message: string, hint: string, exitCode: 1 | 2) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** The command line is wrong: exit code 2. */
export const usageError = (message: string, hint = ''): CommandError => new CommandError(message, hint, 2);

/** The command line is right, but it cannot be done: exit code 1. */
export const runError = (message: string, hint = ''): CommandError => new CommandError(message, hint, 1);
