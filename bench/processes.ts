/**
 * Builds the C programs of the benchmark and runs a process under `measure`, which counts what exactly that process used.
 *
 *   bench/c/*.c ──cc -O3──► bench/build/*          command ──measure──► CPU seconds, peak memory, output
 *
 * Called by run.ts and test/bench.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const PROGRAMS = {
  measure: { source: 'measure', flags: [] },
  floor: { source: 'floor', flags: ['-lpcap'] },
  limit: { source: 'limit', flags: [] },
  'limit-dpi': { source: 'limit', flags: ['-DNDPI', '-lndpi'] },
} as const satisfies Record<string, { readonly source: string; readonly flags: readonly string[] }>;
export type CProgram = keyof typeof PROGRAMS;

/** Path of a program of bench/c, compiled when its source is newer. @throws Error with the compiler's words */
export function buildC(program: CProgram): string {
  const { source: name, flags } = PROGRAMS[program];
  const source = join(here, 'c', `${name}.c`);
  const binary = join(here, 'build', program);
  const built = statSync(binary, { throwIfNoEntry: false });
  if (built !== undefined && built.mtimeMs > statSync(source).mtimeMs) return binary;
  mkdirSync(dirname(binary), { recursive: true });
  const run = spawnSync(process.env.CC ?? 'cc', ['-O3', '-Wall', '-Wextra', '-o', binary, source, ...flags], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`bench/c/${name}.c does not compile: ${run.error?.message ?? run.stderr}`);
  return binary;
}

export interface Measured {
  /** Seconds of CPU, user and system, of the process and of all that it waited for. */
  readonly user: number;
  readonly system: number;
  readonly cpu: number;
  /** Peak resident memory, bytes; of several processes that of the largest. */
  readonly memory: number;
  /** Seconds from start to end. */
  readonly elapsed: number;
  /** Exit status, 128 + signal when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The first `node` that the process finds is the one that runs the benchmark. */
/** As the launcher sets it: compiled code is kept between runs. */
const compileCache = fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
const environment = {
  ...process.env,
  NODE_COMPILE_CACHE: compileCache,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
};

/** Runs the command to its end. A failing command is an answer, not an exception: see `status`. */
export function measure(command: readonly string[]): Measured {
  const launcher = buildC('measure');
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-measure-'));
  try {
    const report = join(folder, 'report');
    const run = spawnSync(launcher, [report, ...command], {
      encoding: 'utf8',
      env: environment,
      maxBuffer: 256 << 20,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (run.error !== undefined) throw run.error;
    const [user = 0, system = 0, kib = 0, status = 0, elapsed = 0] = readFileSync(report, 'utf8').split(' ').map(Number);
    return { user, system, cpu: user + system, memory: kib * 1024, elapsed, status, stdout: run.stdout, stderr: run.stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
