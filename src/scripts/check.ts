/**
 * `flowpatrol scripts check`: what is wrong with the scripts of some folders, found without running them.
 *
 *   *.ts  ──► the TypeScript compiler, with types/flowpatrol.d.ts; what a script must not have (typescript/files.ts)
 *   *.lua ──► the Lua compiler
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createScriptFiles } from './files.ts';
import { LuaState } from './lua/state.ts';
import type { ScriptVersion } from './runtime.ts';
import { sourcesOf } from './typescript/files.ts';
import { SourceError } from './typescript/source.ts';

export interface Finding {
  /** Absolute path; a folder that cannot be read is one too. */
  readonly file: string;
  /** From 1 on; 0 = the file as a whole. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

const TYPES = fileURLToPath(new URL('../../types/flowpatrol.d.ts', import.meta.url));
/** Longest answer of the compiler, bytes. */
const MOST_OUTPUT = 64 << 20;

/** Options under which scripts are checked; an editor has the same with a `tsconfig.json` of this content beside the scripts. */
export const compilerOptions = (): Readonly<Record<string, unknown>> => ({
  strict: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  target: 'esnext',
  lib: ['esnext'],
  module: 'preserve',
  moduleResolution: 'bundler',
  types: [],
  paths: { flowpatrol: [TYPES] },
  // what Node's type stripping can run
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  moduleDetection: 'force',
  noEmit: true,
  skipLibCheck: true,
});

/** Every script of the folders, and what is wrong with the folders themselves. */
function scriptsIn(directories: readonly string[], findings: Finding[]): ScriptVersion[] {
  return directories.flatMap((directory) => {
    const add = (file: string, message: string, severity: Finding['severity']): void => {
      findings.push({ file: resolve(file), line: 0, column: 0, message, severity });
    };
    const files = createScriptFiles([resolve(directory)], (message) => add(directory, message, 'warning'));
    return files.scan().flatMap(({ path, version, error }) => {
      if (version !== undefined) return [version];
      add(path, error ?? 'it cannot be read', 'error');
      return [];
    });
  });
}

/** What the TypeScript compiler says: `file(line,column): error TS1234: message`, further lines of a message are indented. */
function compilerFindings(output: string, directory: string): Finding[] {
  const findings: Finding[] = [];
  for (const line of output.split(/\r?\n/)) {
    const [, file, row, column, severity, message] = /^(.+?)\((\d+),(\d+)\): (error|warning) (TS\d+: .*)$/.exec(line) ?? [];
    const last = findings.at(-1);
    if (file !== undefined) {
      const place = { file: resolve(directory, file), line: Number(row), column: Number(column) };
      findings.push({ ...place, message: message as string, severity: severity as Finding['severity'] });
    } else if (last !== undefined && /^\s+\S/.test(line)) {
      findings[findings.length - 1] = { ...last, message: `${last.message}\n${line}` };
    }
  }
  return findings;
}

async function compileTypeScript(paths: readonly string[]): Promise<Finding[]> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-check-'));
  try {
    const project = join(directory, 'tsconfig.json');
    writeFileSync(project, JSON.stringify({ compilerOptions: compilerOptions(), files: paths }));
    const { failed, output } = await new Promise<{ readonly failed: Error | null; readonly output: string }>((done) => {
      const args = [compiler, '--project', project, '--pretty', 'false'];
      execFile(process.execPath, args, { cwd: directory, maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) =>
        done({ failed: error, output: stdout + stderr }),
      );
    });
    const findings = compilerFindings(output, directory);
    if (failed !== null && findings.length === 0)
      throw new Error(`the TypeScript compiler does not run: ${output.trim() || failed.message}`);
    return findings;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Scripts that cannot be parsed keep the compiler from checking the others: these are checked without them. */
async function compileAll(paths: readonly string[]): Promise<Finding[]> {
  const findings = await compileTypeScript(paths);
  const broken = new Set(findings.filter(({ message }) => /^TS1\d{3}:/.test(message)).map(({ file }) => file));
  const others = paths.filter((path) => !broken.has(path));
  if (others.length === 0 || others.length === paths.length) return findings;
  const seen = new Set(findings.map((finding) => JSON.stringify(finding)));
  return [...findings, ...(await compileTypeScript(others)).filter((finding) => !seen.has(JSON.stringify(finding)))];
}

/** What the compiler allows and a script must not have. */
function refused(version: ScriptVersion, directories: readonly string[]): Finding[] {
  try {
    sourcesOf(version, directories);
    return [];
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const file = resolve(dirname(version.path), error.file);
    return [{ file, line: error.line, column: error.column, message: error.cause, severity: 'error' }];
  }
}

async function checkLua(scripts: readonly ScriptVersion[]): Promise<Finding[]> {
  if (scripts.length === 0) return [];
  const state = await LuaState.create(1);
  const findings = scripts.flatMap(({ path, file, source }): Finding[] => {
    try {
      if (source[0] === 0x1b) throw new Error('compiled Lua: a script must be source text');
      state.load(source, `@${file}`);
      return [];
    } catch (error) {
      const { message } = error as Error;
      const [, line, cause] = /^.*?:(\d+): (.*)$/s.exec(message) ?? [];
      return [{ file: path, line: Number(line ?? 0), column: line === undefined ? 0 : 1, message: cause ?? message, severity: 'error' }];
    } finally {
      state.api.lua_settop(state.main, 0);
    }
  });
  state.close();
  return findings;
}

/** @returns findings by file and line; @throws Error when the compiler cannot be run */
export async function checkScripts(directories: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const scripts = scriptsIn(directories, findings);
  const typescript = scripts.filter(({ language }) => language === 'typescript');
  if (typescript.length > 0) findings.push(...(await compileAll(typescript.map(({ path }) => path))));
  const lines = new Set(findings.map(({ file, line }) => `${file}:${line}`));
  for (const script of typescript) findings.push(...refused(script, directories).filter(({ file, line }) => !lines.has(`${file}:${line}`)));
  findings.push(...(await checkLua(scripts.filter(({ language }) => language === 'lua'))));
  const order = (a: Finding, b: Finding): number => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column);
  return findings.sort(order);
}
