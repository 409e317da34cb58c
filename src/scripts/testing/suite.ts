/**
 * Tests of scripts: which captures belong to a script, what it did on them, and whether that is what the golden text beside it says.
 *
 *   NAME.lua   tests/NAME.pcap, NAME.pcapng, NAME.pcap.gz, NAME-*.pcap …   tests/NAME.golden
 *
 * Called by `flowpatrol test`.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { makeFolder } from '../../folders.ts';
import { diffLines } from './diff.ts';
import { goldenText, parseGolden, sectionText } from './golden.ts';
import { runScript, type TestOptions, type TestRun } from './run.ts';

export interface ScriptTest {
  /** Absolute. */
  readonly script: string;
  readonly captures: readonly string[];
  readonly golden: string;
}

/**
 * `same`, `differs`: from the golden text; `new`: it says nothing of one of the captures; `failed`: the script could not be loaded, a capture
 * not be read, or calls failed that nothing was known of.
 */
export type TestOutcome = 'same' | 'differs' | 'new' | 'updated' | 'failed';

export interface TestResult {
  readonly test: ScriptTest;
  readonly outcome: TestOutcome;
  readonly runs: readonly TestRun[];
  /** The golden text as it would be now. */
  readonly text: string;
  readonly diff: readonly string[];
  /** s */
  readonly took: number;
}

export const isScriptFile = (name: string): boolean => name.endsWith('.lua') || (name.endsWith('.ts') && !name.endsWith('.d.ts'));

const CAPTURE = /\.(pcap|pcapng|cap)(\.gz)?$/;

/** @param script absolute path. @param captures none: those beside it */
export function scriptTest(script: string, captures: readonly string[]): ScriptTest {
  const name = basename(script, extname(script));
  const folder = join(dirname(script), 'tests');
  return { script, captures: captures.length > 0 ? captures : ownCaptures(folder, name), golden: join(folder, `${name}.golden`) };
}

function ownCaptures(folder: string, name: string): string[] {
  let files: string[];
  try {
    files = readdirSync(folder).sort();
  } catch {
    return [];
  }
  const own = (file: string): boolean => CAPTURE.test(file) && (file.startsWith(`${name}.`) || file.startsWith(`${name}-`));
  return files.filter(own).map((file) => join(folder, file));
}

/** The scripts of a folder, in the order of their names. */
export const scriptsOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => isScriptFile(name) && !name.startsWith('.') && statSync(join(folder, name)).isFile())
    .sort()
    .map((name) => join(folder, name));

function readGolden(path: string): Map<string, string> {
  try {
    return parseGolden(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
}

const failures = ({ callbacks }: TestRun): number => Object.values(callbacks).reduce((sum, of) => sum + of.failures, 0);

/** @param update writes the golden text instead of comparing */
export async function runTest(test: ScriptTest, options: TestOptions, update: boolean): Promise<TestResult> {
  const began = performance.now();
  const runs: TestRun[] = [];
  for (const capture of test.captures) runs.push(await runScript(test.script, capture, options));
  const known = readGolden(test.golden);
  const now = new Map(runs.map((run) => [run.capture, sectionText(run)]));
  const text = goldenText(now);
  const result = (outcome: TestOutcome, diff: readonly string[] = []): TestResult => ({
    test,
    outcome,
    runs,
    text,
    diff,
    took: (performance.now() - began) / 1000,
  });
  if (runs.some((run) => run.broken !== undefined || run.refused !== undefined)) return result('failed');
  if (update) {
    makeFolder(dirname(test.golden));
    writeFileSync(test.golden, goldenText(new Map([...known, ...now])));
    return result('updated');
  }
  const compared = new Map([...now].filter(([capture]) => known.has(capture)));
  const diff = diffLines(
    goldenText(new Map([...compared.keys()].map((capture) => [capture, known.get(capture) as string]))),
    goldenText(compared),
  );
  if (diff.length > 0) return result('differs', diff);
  if (compared.size === now.size) return result('same');
  return result(runs.some((run) => !compared.has(run.capture) && failures(run) > 0) ? 'failed' : 'new');
}

/** What a test is made of: when one of these files changes, it has to be run again. */
export const filesOf = ({ script, captures, golden }: ScriptTest): string[] => [
  ...scriptsOf(dirname(script)), // it may require them
  script,
  ...captures,
  golden,
];
