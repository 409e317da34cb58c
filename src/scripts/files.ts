/** Which files are scripts: every `.lua` in the given directories that does not start with a dot; no sub-directories. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ScriptFile {
  readonly name: string;
  readonly path: string;
  /** Text as bytes, without a byte order mark; `undefined` when the file could not be read. */
  readonly source?: Uint8Array;
  /** Why not. */
  readonly error?: string;
}

/**
 * Directories in the given order, files of each by name.
 * @param unreadable is told of a directory that cannot be listed, is missing, or has no scripts
 */
export function readScriptFiles(directories: readonly string[], unreadable: (message: string) => void): ScriptFile[] {
  const files: ScriptFile[] = [];
  for (const directory of directories) {
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      unreadable(`directory of scripts: ${(error as Error).message}`);
      continue;
    }
    const scripts = names.filter((entry) => entry.endsWith('.lua') && !entry.startsWith('.')).sort();
    if (scripts.length === 0) unreadable(`directory of scripts: no .lua files in ${directory}`);
    for (const name of scripts) files.push(readScript(name, join(directory, name)));
  }
  return files;
}

function readScript(name: string, path: string): ScriptFile {
  try {
    const bytes = readFileSync(path);
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return { name, path, source: marked ? bytes.subarray(3) : bytes };
  } catch (error) {
    return { name, path, error: (error as Error).message };
  }
}
