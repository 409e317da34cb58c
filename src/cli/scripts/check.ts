/**
 * `flowpatrol scripts check`: is anything wrong with the scripts of the folders? They are compiled and their types checked without running
 * them (scripts/check.ts), and then loaded as a run would load them, which finds keys, callbacks and `setup`.
 */
import { relative } from 'node:path';
import type { Config } from '../../config.ts';
import { checkScripts, type Finding } from '../../scripts/check.ts';
import { printable } from '../format.ts';
import { loadScripts } from './offline.ts';

const PLACE = /^(?:[^\s:]+:)?(\d+)?:? ?/;

/** What a host says when it loads a script: `file:line: cause`. */
function loadFinding(path: string, text: string, severity: Finding['severity']): Finding {
  const [place = '', line] = PLACE.exec(text) ?? [];
  return { file: path, line: Number(line ?? 0), column: 0, message: text.slice(place.length), severity };
}

function findingLine({ file, line, column, message, severity }: Finding): string {
  const from = relative(process.cwd(), file);
  const name = from === '' || from.startsWith('../..') ? file : from;
  const place = line === 0 ? '' : `:${line}${column === 0 ? '' : `:${column}`}`;
  return printable(`${name}${place}: ${severity}: ${message}`);
}

/** @returns the exit code */
export async function checkFolders(config: Config, json: boolean, write: (lines: readonly string[]) => void): Promise<number> {
  const findings = await checkScripts(config.scriptDirectories);
  const reports = await loadScripts(config, new Map(), () => {});
  for (const { path, error, warnings } of reports) {
    const found = findings.some((finding) => finding.file === path && finding.severity === 'error');
    if (error !== undefined && !found) findings.push(loadFinding(path, error, 'error'));
    findings.push(...warnings.map((warning) => loadFinding(path, warning, 'warning')));
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (json) {
    write([JSON.stringify({ scripts: reports.map(({ path }) => path), findings })]);
  } else {
    const bad = new Set(findings.map(({ file }) => file));
    const good = reports.filter(({ path }) => !bad.has(path)).length;
    write([
      ...findings.map(findingLine),
      `${reports.length} ${reports.length === 1 ? 'script' : 'scripts'}, ${good} without a finding, ${errors} ${errors === 1 ? 'error' : 'errors'}`,
    ]);
  }
  return errors > 0 ? 1 : 0;
}
