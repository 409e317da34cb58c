/** `flowpatrol test`: scripts on captures, compared with their golden texts. */
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, extname, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CALLBACKS } from '../../flows/event.ts';
import { nearest } from '../../nearest.ts';
import { callCount } from '../../scripts/testing/golden.ts';
import type { TestRun } from '../../scripts/testing/run.ts';
import { filesOf, isScriptFile, runTest, type ScriptTest, scriptsOf, scriptTest, type TestResult } from '../../scripts/testing/suite.ts';
import { checkConfig, similarFile } from '../check.ts';
import { runError, usageError } from '../errors.ts';
import { duration, printable } from '../format.ts';
import type { ScriptInvocation } from '../parse.ts';
import type { Surroundings } from './command.ts';

const USAGE = 'flowpatrol test SCRIPT|DIR… [CAPTURE…]';
/** Runs at one time; each has three threads. */
const MOST_RUNS = 4;
/** How often files are looked at, ms. */
const WATCH_MS = 200;

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** What a bare name probably meant: a script of the folders, as it was written, with its ending or without; or a file that is here. */
function similarName(word: string, folders: readonly string[]): string {
  const scripts = folders
    .filter(isDirectory)
    .flatMap(scriptsOf)
    .map((path) => basename(path));
  const names = isScriptFile(word) ? scripts : scripts.map((name) => basename(name, extname(name)));
  const near = nearest(word, [...names, ...readdirSync('.')]);
  return near === undefined ? USAGE : `did you mean ${printable(near)}?`;
}

/** A file, or a script by its bare name in a folder of scripts. @throws usage errors */
function pathOf(word: string, folders: readonly string[]): string {
  if (exists(word)) return resolve(word);
  const names = word.includes('/') ? [] : isScriptFile(word) ? [word] : [`${word}.lua`, `${word}.ts`];
  const found = folders.flatMap((folder) => names.map((name) => resolve(folder, name))).find(exists);
  if (found !== undefined) return found;
  const where = names.length === 0 ? '' : `, and in ${folders.map(shown).join(', ')} there is no ${names.join(' or ')}`;
  const hint = names.length === 0 ? similarFile(word) || USAGE : similarName(word, folders);
  throw usageError(`test: ${word} does not exist${where}`, hint);
}

/** Scripts and captures of the words; of a folder all scripts that have captures. @throws usage errors */
export function testsOf(words: readonly string[], folders: readonly string[] = []): ScriptTest[] {
  if (words.length === 0) throw usageError('test: no script given', USAGE);
  const paths = words.map((word) => pathOf(word, folders));
  const captures = paths.filter((path) => !isDirectory(path) && !isScriptFile(path));
  const tests = paths.flatMap((path) => {
    if (isDirectory(path))
      return scriptsOf(path)
        .map((script) => scriptTest(script, captures))
        .filter((test) => test.captures.length > 0);
    return isScriptFile(path) ? [scriptTest(path, captures)] : [];
  });
  const without = tests.find((test) => test.captures.length === 0);
  if (without !== undefined) {
    const { script, golden } = without;
    throw usageError(`test: no capture for ${basename(script)}`, `name one, or put it at ${shown(golden).replace(/golden$/, 'pcap')}`);
  }
  if (tests.length === 0) throw usageError('test: there is no script with a capture', USAGE);
  return tests;
}

/** A path as short as it gets. */
function shown(path: string): string {
  const from = relative(process.cwd(), path);
  return printable(from.startsWith('../../') || from === '' ? path : from);
}

/** Several at one time, told in order. */
async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>, told: (result: R) => void): Promise<R[]> {
  const most = Math.min(MOST_RUNS, availableParallelism());
  const running: Promise<R>[] = [];
  const results: R[] = [];
  for (const [index, item] of items.entries()) {
    const earlier = running[index - most];
    running.push(Promise.resolve(earlier).then(() => work(item)));
  }
  for (const each of running) {
    const result = await each;
    told(result);
    results.push(result);
  }
  return results;
}

function coverage(runs: readonly TestRun[]): string[] {
  const sums = CALLBACKS.flatMap((callback) => {
    const of = runs.map((run) => run.callbacks[callback]).filter((each) => each !== undefined);
    return of.length === 0 ? [] : [{ callback, calls: of.reduce((sum, { calls }) => sum + calls, 0) }];
  });
  return sums.map(({ callback, calls }) => `${callback}: ${callCount(calls)}`);
}

function resultLines(result: TestResult, allCalls: boolean): string[] {
  const { test, outcome, runs, text, diff, took } = result;
  const captures = runs.map((run) => run.capture).join(', ');
  const lines = [`${(allCalls ? 'calls' : outcome).padEnd(8)} ${shown(test.script)} on ${printable(captures)} (${duration(took)})`];
  for (const { capture, broken, refused } of runs) {
    if (refused !== undefined) lines.push(`  refused: ${refused}`);
    if (broken !== undefined) lines.push(`  ${printable(capture)}: ${printable(broken)}`);
  }
  if (outcome === 'differs') {
    lines.push(`  - ${shown(test.golden)}`, '  + now', ...diff.map((line) => `  ${line}`));
    lines.push('  --update takes it over');
  } else if (
    allCalls ||
    outcome === 'new' ||
    (outcome === 'failed' && runs.every((run) => run.refused === undefined && run.broken === undefined))
  ) {
    lines.push(
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`.trimEnd()),
    );
    if (!allCalls) lines.push(`  nothing to compare with: --update writes ${shown(test.golden)}`);
  } else if (outcome !== 'failed') {
    lines.push(`  ${coverage(runs).join(', ')}`);
  }
  return lines;
}

const jsonOf = ({ test, outcome, runs, diff, took }: TestResult): object => ({
  script: test.script,
  golden: test.golden,
  outcome,
  took: Math.round(took * 1000) / 1000,
  captures: runs,
  diff,
});

const failed = ({ outcome }: TestResult): boolean => outcome === 'failed' || outcome === 'differs';

const stateOf = (test: ScriptTest): string =>
  filesOf(test)
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return `${path} ${stat?.mtimeMs} ${stat?.size}`;
    })
    .join('\n');

/** @returns the exit code */
export async function test({ config, words, of, json }: ScriptInvocation, { stdout, screen }: Surroundings): Promise<number> {
  if (of.callbacks && of.update) throw usageError('test: --callbacks shows what no golden text has', 'leave out --update');
  if (of.watch && json) throw usageError('test: --watch and --json do not go together');
  const tests = testsOf(words, config.scriptDirectories);
  // settings, lists and filters are looked at before anything runs
  const captures = [...new Set(tests.flatMap((each) => each.captures))];
  checkConfig({ ...config, interfaces: captures.map((capture) => (capture.includes('/') ? capture : `./${capture}`)), scripts: false });

  const runAll = async (some: readonly ScriptTest[]): Promise<TestResult[]> =>
    inOrder(
      some,
      (each) => runTest(each, { config, allCalls: of.callbacks }, of.update),
      (result) => {
        if (!json) stdout.write(`${resultLines(result, of.callbacks).join('\n')}\n`);
      },
    );
  let results: TestResult[];
  try {
    results = await runAll(tests);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw runError(`test: ${message}`);
  }
  if (json) stdout.write(`${JSON.stringify({ tests: results.map(jsonOf) })}\n`);
  else if (results.length > 1 && !of.callbacks) {
    const counts = Map.groupBy(results, ({ outcome }) => outcome);
    stdout.write(`${[...counts].map(([outcome, some]) => `${some.length} ${outcome}`).join(', ')}\n`);
  }
  if (of.watch) await watch(tests, runAll, (line) => screen.line(line));
  return results.some(failed) ? 1 : 0;
}

/** Runs the tests whose files change, until a signal ends the process. */
async function watch(
  tests: readonly ScriptTest[],
  run: (some: readonly ScriptTest[]) => Promise<unknown>,
  note: (line: string) => void,
): Promise<never> {
  const states = new Map(tests.map((each) => [each, stateOf(each)]));
  note('watching; Ctrl-C ends');
  for (;;) {
    await sleep(WATCH_MS);
    const changed = tests.filter((each) => stateOf(each) !== states.get(each));
    if (changed.length === 0) continue;
    for (const each of changed) states.set(each, stateOf(each));
    await run(changed).catch((error: Error) => note(error.message));
  }
}
