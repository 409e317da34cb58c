/** A script's file with the files that it imports, compiled and in the order in which they run. Called by runtime.ts and check.ts. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { type CompiledSource, compileSource, type Import, SourceError } from './source.ts';

/** What `flowpatrol` exports; world.ts makes it. */
export const MODULE = 'flowpatrol';
const MODULE_EXPORTS = ['defineScript', 'cache', 'networkInterface', 'i18n', 'shortFlowLabel'];

export interface SourceFile extends CompiledSource {
  /** Name in errors: that of the script, or the way to the file from its folder. */
  readonly file: string;
  /** For each of `imports`: {@link MODULE}, or the `file` of another source. */
  readonly from: readonly string[];
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const isInside = (path: string, directory: string): boolean => path.startsWith(directory.endsWith(sep) ? directory : directory + sep);

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Real path of a folder of scripts; a script that was named alone stands for its folder. */
function folderOf(directory: string): string {
  const path = realPath(directory) ?? directory;
  return path.endsWith('.ts') || path.endsWith('.lua') ? dirname(path) : path;
}

/** @throws SourceError */
function located(file: string, path: string, { specifier, line }: Import, directories: readonly string[]): string {
  const no = (cause: string): SourceError => new SourceError(file, line, 1, `cannot import '${specifier}': ${cause}`);
  if (!/^\.\.?\/.*\.ts$/.test(specifier)) throw no(`there is '${MODULE}', and files beside the script ('./folder/name.ts')`);
  const found = realPath(resolve(dirname(path), specifier));
  if (found === undefined) throw no('there is no such file');
  if (!directories.some((directory) => isInside(found, folderOf(directory)))) throw no('it lies outside of the folders of scripts');
  return found;
}

function checkNames(file: string, { specifier, line, names }: Import, exports: readonly string[]): void {
  const missing = names.find((name) => !exports.includes(name));
  if (missing === undefined) return;
  throw new SourceError(file, line, 1, `'${specifier}' has no export '${missing}' (a type is imported with \`import type\`)`);
}

/**
 * @param source UTF-8 @param directories folders in which imported files may lie
 * @returns the script last, every file behind those that it imports
 * @throws SourceError
 */
export function sourcesOf(
  { file, path, source }: { readonly file: string; readonly path: string; readonly source: Uint8Array },
  directories: readonly string[],
): SourceFile[] {
  const done = new Map<string, SourceFile>();
  const open: string[] = [];

  function add(path: string, file: string, text: string): SourceFile {
    open.push(path);
    const compiled = compileSource(file, text);
    const from = compiled.imports.map((wanted) => {
      if (wanted.specifier === MODULE) {
        checkNames(file, wanted, MODULE_EXPORTS);
        return MODULE;
      }
      const at = located(file, path, wanted, directories);
      if (open.includes(at)) throw new SourceError(file, wanted.line, 1, `'${wanted.specifier}' imports this file in its turn`);
      const other = done.get(at) ?? add(at, relative(dirname(open[0] as string), at), decoder.decode(readFileSync(at)));
      checkNames(file, wanted, other.exports);
      return other.file;
    });
    open.pop();
    const added = { ...compiled, file, from };
    done.set(path, added);
    return added;
  }

  add(realPath(path) ?? path, file, decoder.decode(source));
  return [...done.values()];
}
