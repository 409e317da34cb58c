/**
 * Which files are scripts, and in which state: every `.lua` and `.ts` in the given directories that does not start with a dot; no
 * sub-directories. Read by the main thread, at start and while it runs.
 *
 *   directories ──scan()──► FileChange: new, changed, gone ──► script hosts
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileChange } from './host.ts';
import type { ScriptVersion } from './runtime.ts';

const isScript = (name: string): boolean =>
  !name.startsWith('.') && (name.endsWith('.lua') || (name.endsWith('.ts') && !name.endsWith('.d.ts')));

/** A file that was written less than this ago may be half written: it is looked at again, ms. */
const SETTLE_MS = 100;

export interface ScriptFiles {
  /** What has changed since the last scan; the first time all files, in the order of directories and names. */
  scan(): FileChange[];
}

/** The state of a file. @param path absolute */
export function readScript(path: string): FileChange {
  try {
    const bytes = readFileSync(path);
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return { path, version: versionOf(path, new Uint8Array(marked ? bytes.subarray(3) : bytes)) };
  } catch (error) {
    return { path, error: (error as Error).message };
  }
}

function versionOf(path: string, source: Uint8Array): ScriptVersion {
  return {
    file: path.slice(path.lastIndexOf('/') + 1),
    path,
    language: path.endsWith('.ts') ? 'typescript' : 'lua',
    source,
    hash: createHash('sha256').update(source).digest('hex').slice(0, 12),
  };
}

/** Folders of scripts; a file that stands for itself alone lies in one too. What scripts require is looked for there. */
export const foldersOf = (directories: readonly string[]): string[] => [
  ...new Set(directories.map((path) => (statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path))),
];

/** @param unreadable is told of a directory that cannot be listed, is missing, or has no scripts; once until that changes */
export function createScriptFiles(directories: readonly string[], unreadable: (message: string) => void): ScriptFiles {
  const seen = new Map<string, string>(); // path -> what stat said
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

  const stateOf = (path: string): { readonly text: string; readonly age: number } => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = statSync(path);
      return { text: `${ino} ${size} ${mtimeMs} ${ctimeMs}`, age: Date.now() - mtimeMs };
    } catch (error) {
      return { text: (error as Error).message, age: Number.POSITIVE_INFINITY };
    }
  };

  return {
    scan() {
      const changes: FileChange[] = [];
      const there = new Set<string>();
      for (const directory of directories) {
        for (const path of list(directory)) {
          there.add(path);
          const { text, age } = stateOf(path);
          if (seen.get(path) === text) continue;
          if (!first && age >= 0 && age < SETTLE_MS) continue;
          seen.set(path, text);
          changes.push(readScript(path));
        }
      }
      for (const path of seen.keys()) {
        if (there.has(path)) continue;
        seen.delete(path);
        changes.push({ path });
      }
      first = false;
      return changes;
    },
  };
}
