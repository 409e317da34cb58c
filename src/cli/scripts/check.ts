/** `flowpatrol scripts check`: is anything wrong with the scripts of the folders? They are loaded as a run would load them. */
import type { Config } from '../../config.ts';
import { printable } from '../format.ts';
import { loadScripts } from './offline.ts';

/** What is wrong with a file: `error` keeps it from running. */
interface Finding {
  readonly file: string;
  readonly severity: 'error' | 'warning';
  /** `file:line: cause` where the line is known. */
  readonly message: string;
}

/** @returns the exit code */
export async function checkFolders(
  config: Config,
  json: boolean,
  write: (lines: readonly string[]) => void,
  note: (line: string) => void,
): Promise<number> {
  const reports = await loadScripts(config, new Map(), note);
  const findings = reports.flatMap(({ path, error, warnings }): Finding[] => [
    ...(error === undefined ? [] : [{ file: path, severity: 'error' as const, message: error }]),
    ...warnings.map((message) => ({ file: path, severity: 'warning' as const, message })),
  ]);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (json) write([JSON.stringify({ scripts: reports.map(({ path }) => path), findings })]);
  else {
    const bad = new Set(findings.map(({ file }) => file));
    const good = reports.filter(({ path }) => !bad.has(path)).length;
    write([
      ...findings.map(({ severity, message }) => `${severity}: ${printable(message)}`),
      `${reports.length} ${reports.length === 1 ? 'script' : 'scripts'}, ${good} without a finding, ${errors} with errors`,
    ]);
  }
  return errors > 0 ? 1 : 0;
}
