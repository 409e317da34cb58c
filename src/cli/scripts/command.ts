/** The commands about scripts: which of them, and what they have in common. Called by main.ts. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FilterError } from '../../filter/filter.ts';
import { RecordingError } from '../../recording/format.ts';
import { isScriptFile } from '../../scripts/testing/suite.ts';
import { runError, usageError } from '../errors.ts';
import { filterError } from '../flow-table.ts';
import type { ScriptCommandName, ScriptInvocation } from '../parse.ts';
import type { Screen } from '../screen.ts';

/** Where a command's answer goes, and what it needs of the program. */
export interface Surroundings {
  /** Of flowpatrol. */
  readonly version: string;
  readonly stdout: { readonly terminal: boolean; readonly columns: number; write(text: string): void };
  readonly screen: Screen;
}

/** @returns the exit code */
export async function scriptCommand(name: ScriptCommandName, given: ScriptInvocation, around: Surroundings): Promise<number> {
  try {
    switch (name) {
      case 'test':
        return await (await import('./test.ts')).test(given, around);
      case 'record':
        return await (await import('./record.ts')).record(given, around);
      case 'replay':
        return await (await import('./replay.ts')).replayCommand(given, around);
      case 'explain':
        return await (await import('./explain.ts')).explain(given, around);
      case 'scripts':
        return await (await import('./scripts.ts')).scripts(given, around);
    }
  } catch (error) {
    if (error instanceof RecordingError) throw runError(error.message);
    if (error instanceof FilterError) throw filterError(given.words[0] ?? '', error);
    throw error;
  }
}

/** A script that was named on the command line. @throws a usage error */
export function scriptPath(word: string, of: string): string {
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`${of}: ${word} does not exist`);
  if (!stat.isFile()) throw usageError(`${of}: ${word} is not a file`);
  if (!isScriptFile(word)) throw usageError(`${of}: ${word} is no script`, 'scripts end in .lua or .ts');
  return resolve(word);
}
