/** Starts the program as a user would, under the Node of the test, and waits for its end. Called by tests. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliRun {
  /** Exit code; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest run, ms: a hang fails the test instead of blocking it. */
const LONGEST_MS = 60_000;

/** Runs end by themselves: with a web interface they would go on. */
export function runCli(args: readonly string[]): CliRun {
  const all = args[0] === '-i' ? [...args, '--no-web'] : args;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [CLI, ...all], {
    encoding: 'utf8',
    timeout: LONGEST_MS,
    maxBuffer: 1 << 28,
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, signal, stdout, stderr };
}
