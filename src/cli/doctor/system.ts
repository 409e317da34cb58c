/** How the checks look at the machine: small files of the kernel, and commands that may not be there. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** @returns the text without white space at its ends; undefined where it cannot be read */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // not there, no permission, or (files below /sys) nothing to say in this state
  }
}

/** @returns names in a directory, none where it cannot be listed */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** `missing`: there is no such command. `failed`: it ended with an error, or did not end in time. */
export type Answer = { readonly state: 'missing' } | { readonly state: 'failed' } | { readonly state: 'answered'; readonly text: string };

const LONGEST_MS = 5000;
/** Users' PATH often lacks the folders of system commands. */
const SYSTEM_FOLDERS = '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin';

/** Runs a command in the C locale. */
export function ask(command: string, ...args: string[]): Promise<Answer> {
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:${SYSTEM_FOLDERS}`, LC_ALL: 'C' };
  return new Promise((resolve) => {
    execFile(command, args, { encoding: 'utf8', timeout: LONGEST_MS, env }, (error, stdout) => {
      if (error === null) resolve({ state: 'answered', text: stdout });
      else resolve({ state: error.code === 'ENOENT' ? 'missing' : 'failed' });
    });
  });
}

/** The `name: value` or `name=value` lines of a text, without the white space around both. */
export function pairs(text: string, separator: ':' | '='): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(separator);
    if (at > 0) found.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return found;
}
