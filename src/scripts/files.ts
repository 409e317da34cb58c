/**
 * Which files are scripts, and in which state: every `.lua` and `.ts` in the given directories that does not start with a dot. Files in
 * sub-directories are no scripts, but scripts may require them: then they are a part of the script's version. Read by the main thread, at
 * start and while it runs.
 *
 *   directories ──scan()──► FileChange: new, changed, gone ──► script hosts
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileChange } from './host.ts';
import { mayHaveFiles } from './reading.ts';
import type { ScriptVersion } from './runtime.ts';

const isScript = (name: string): boolean =>
  !name.startsWith('.') && (name.endsWith('.lua') || (name.endsWith('.ts') && !name.endsWith('.d.ts')));

/** State of a file that is not there. */
const GONE = 'gone';
/** Largest script, bytes. */
const LARGEST = 16 << 20;

export interface ScriptFiles {
  /**
   * What has changed, and was the same at the last scan: a file that is being written is let be. The first time all files, in the order of
   * directories and names.
   */
  scan(): FileChange[];
}

/** Sub-directories that are looked into, and files in them that are looked at: scripts are small, and so is what they share. */
const DEEPEST = 4;
const MOST_HELPERS = 1000;

/** Files below a directory of scripts that scripts may require, without those of their tests; sorted. */
function helpersOf(directory: string): string[] {
  const found: string[] = [];
  const look = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < DEEPEST && entry.name !== 'tests' && !entry.name.startsWith('.')) look(path, depth + 1);
      else if (depth > 0 && entry.isFile() && isScript(entry.name) && found.length < MOST_HELPERS) found.push(path);
    }
  };
  try {
    look(directory, 0);
  } catch {
    // a folder that cannot be read is told where its scripts are listed
  }
  return found.sort();
}

const hasHelpers = (source: Uint8Array): boolean => mayHaveFiles(Buffer.from(source).toString('latin1'));

function statRegular(path: string): Stats {
  const stats = statSync(path);
  if (!stats.isFile()) throw new Error('a script is a regular file, and this is none');
  return stats;
}

/** The state of a file. @param path absolute */
export function readScript(path: string): FileChange {
  try {
    // a pipe or a device would be waited for, and everything with it
    const { size } = statRegular(path);
    if (size > LARGEST) throw new Error(`the file is larger than ${LARGEST >> 20} MiB`);
    const bytes = readFileSync(path);
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return { path, version: versionOf(path, new Uint8Array(marked ? bytes.subarray(3) : bytes)) };
  } catch (error) {
    return { path, error: (error as Error).message };
  }
}

function versionOf(path: string, source: Uint8Array): ScriptVersion {
  const hash = createHash('sha256').update(source);
  if (hasHelpers(source)) for (const helper of helpersOf(dirname(path))) hash.update(readFileSync(helper));
  return {
    file: path.slice(path.lastIndexOf('/') + 1),
    path,
    language: path.endsWith('.ts') ? 'typescript' : 'lua',
    source,
    hash: hash.digest('hex').slice(0, 12),
  };
}

/** Folders of scripts; a file that stands for itself alone lies in one too. What scripts require is looked for there. */
export const foldersOf = (directories: readonly string[]): string[] => [
  ...new Set(directories.map((path) => (statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path))),
];

/** @param unreadable is told of a directory that cannot be listed, is missing, or has no scripts; once until that changes */
export function createScriptFiles(directories: readonly string[], unreadable: (message: string) => void): ScriptFiles {
  // what stat said, also of what it requires, by path: of the versions that were told, and at the last scan where that is something else
  const seen = new Map<string, string>();
  const pending = new Map<string, string>();
  const withHelpers = new Set<string>();
  const complaints = new Map<string, string>();
  let first = true;

  const complain = (directory: string, message: string | undefined): void => {
    if (message !== undefined && complaints.get(directory) !== message) unreadable(message);
    if (message === undefined) complaints.delete(directory);
    else complaints.set(directory, message);
  };

  /** Paths of the scripts of a directory, or the file itself. */
  function list(directory: string): string[] {
    try {
      if (statSync(directory).isFile()) return [directory];
      const names = readdirSync(directory).filter(isScript).sort();
      complain(directory, names.length === 0 ? `directory of scripts: no .lua or .ts files in ${directory}` : undefined);
      return names.map((name) => join(directory, name));
    } catch (error) {
      complain(directory, `directory of scripts: ${(error as Error).message}`);
      return [];
    }
  }

  const stateOf = (path: string): string => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = statSync(path);
      return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    } catch (error) {
      return (error as Error).message;
    }
  };

  /** Of a script and all that it may require. */
  const stateOfAll = (path: string): string =>
    withHelpers.has(path) ? [path, ...helpersOf(dirname(path))].map(stateOf).join('\n') : stateOf(path);

  /** Is the state another one than that of the version that was told, and has it come to rest? */
  function isNew(path: string, state: string): boolean {
    if (seen.get(path) === state) {
      pending.delete(path);
      return false;
    }
    if (first || pending.get(path) === state) return true;
    pending.set(path, state);
    return false;
  }

  /** @returns undefined: it has changed in the meantime */
  function read(path: string): FileChange | undefined {
    const before = stateOf(path);
    const change = readScript(path);
    if (change.version !== undefined && hasHelpers(change.version.source)) withHelpers.add(path);
    else withHelpers.delete(path);
    const after = stateOfAll(path);
    if (!first && !after.startsWith(before)) {
      pending.set(path, after);
      return undefined;
    }
    pending.delete(path);
    seen.set(path, after);
    return change;
  }

  return {
    scan() {
      const changes: FileChange[] = [];
      const there = new Set<string>();
      for (const path of directories.flatMap(list)) {
        there.add(path);
        const change = isNew(path, stateOfAll(path)) ? read(path) : undefined;
        if (change !== undefined) changes.push(change);
      }
      // some programs write a file by removing it first
      for (const path of seen.keys()) {
        if (there.has(path) || !isNew(path, GONE)) continue;
        for (const known of [seen, pending, withHelpers]) known.delete(path);
        changes.push({ path });
      }
      for (const path of pending.keys()) if (!there.has(path) && !seen.has(path)) pending.delete(path);
      first = false;
      return changes;
    },
  };
}
