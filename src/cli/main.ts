#!/usr/bin/env node
/**
 * The program: arguments → command → patrol → summary → exit code.
 *
 *   0 done (also after one signal)   1 could not be done   2 wrong options   130 (of SIGINT) ended at once by a second signal
 *
 * Only exports and the answers of `help`, `version` and `interfaces` go to standard output; the rest goes to standard error.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { Snapshot } from '../patrol-types.ts';
import { CommandError, runError } from './errors.ts';
import { helpText } from './help.ts';
import { parse } from './parse.ts';
import { sampleOf, statusLine } from './progress.ts';
import { createLog, createScreen, type Screen } from './screen.ts';
import { summary } from './summary.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const SCRIPT_DIRECTORY = join(PROJECT, 'scripts/callbacks/interface/alerts/flow');
const REDRAW_MS = 1000;
/** npm passes a signal of the terminal on to us, which has it already: what comes so soon is the same one. */
const SAME_SIGNAL_MS = 250;

/** How the user calls us, for examples. */
const program = process.env.npm_lifecycle_event === 'start' ? 'npm start --' : 'flowpatrol';

/** What needs the addon is loaded when it is needed: help works without. */
async function withAddon<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND' && message.includes('flowpatrol.node')) throw runError('the addon is not built', 'npm run setup');
    if (code === 'ERR_DLOPEN_FAILED') throw runError(`the addon cannot be loaded: ${message}`, 'npm run setup');
    throw error;
  }
}

async function versions(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  const { native } = await withAddon(() => import('../native.ts'));
  return `flowpatrol ${version}, Node ${process.version}, ${native.pcapVersion()}, nDPI ${native.dpiVersion()}`;
}

/** 0 when every interface did its work. A filter that did not fit an input which could not be tried before is a wrong option. */
function exitCodeOf(snapshot: Snapshot): number {
  const failed = snapshot.interfaces.filter((of) => of.state === 'failed');
  if (failed.length === 0) return 0;
  return failed.every((of) => of.errorCode === 'EFILTER') ? 2 : 1;
}

/** Does a script have callbacks that this run did not call, because it read captures? */
const hidesCallbacks = (config: Config, { interfaces, scripts }: Snapshot): boolean =>
  config.pcapCallbacks === 'protocolDetected' &&
  !config.originalSpeed &&
  interfaces.some((of) => of.kind === 'pcap') &&
  scripts.some((script) => script.callbacks.some((callback) => callback !== 'protocolDetected'));

async function run(config: Config, screen: Screen): Promise<number> {
  const { checkConfig } = await withAddon(() => import('./check.ts'));
  const kindOf = checkConfig(config);
  const lock =
    config.dataDirectory === undefined ? undefined : (await import('./data-directory.ts')).lockDataDirectory(config.dataDirectory);
  const { createPatrol } = await import('../patrol.ts');
  const log = createLog(config.logLevel, screen, !process.env.NO_COLOR);
  const patrol = createPatrol(config, log, kindOf);

  let signalled = 0;
  const onSignal = (): void => {
    const now = performance.now();
    if (signalled === 0) {
      signalled = now;
      screen.line('stopping: last visits of all flows; again to end at once');
      void patrol.stop();
    } else if (now - signalled > SAME_SIGNAL_MS) {
      screen.clear();
      // process.exit would wait for threads, and one may hang in a read: so we die of the signal, which a shell shows as 130
      process.removeListener('SIGINT', onSignal);
      process.kill(process.pid, 'SIGINT');
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  let redraw: NodeJS.Timeout | undefined;
  try {
    await patrol.start();
    if (screen.terminal) {
      const first = sampleOf(patrol.snapshot(), performance.now());
      let before = first;
      redraw = setInterval(() => {
        const now = sampleOf(patrol.snapshot(), performance.now());
        screen.status(statusLine(now, before, first, screen.columns));
        before = now;
      }, REDRAW_MS);
    }
    await patrol.done;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw runError(message);
  } finally {
    clearInterval(redraw);
    screen.clear();
    lock?.release();
  }
  const snapshot = patrol.snapshot();
  for (const { name, counters } of snapshot.interfaces) log.debug({ interface: name, counters }, 'all counters');
  screen.line('');
  for (const line of summary(snapshot)) screen.line(line);
  if (hidesCallbacks(config, snapshot))
    screen.line('On captures only protocolDetected is called; --pcap-callbacks all calls the others too.');
  return exitCodeOf(snapshot);
}

async function main(args: readonly string[], screen: Screen): Promise<number> {
  const invocation = parse(args, SCRIPT_DIRECTORY);
  switch (invocation.command) {
    case 'help':
      process.stdout.write(helpText());
      return 0;
    case 'version':
      process.stdout.write(`${await versions()}\n`);
      return 0;
    case 'interfaces': {
      const { interfacesTable } = await withAddon(() => import('./interfaces.ts'));
      process.stdout.write(`${interfacesTable().join('\n')}\n`);
      return 0;
    }
    case 'demo': {
      const demo = await withAddon(() => import('./demo.ts'));
      screen.line(demo.DEMO_GREETING);
      const code = await run(demo.demoConfig(PROJECT, SCRIPT_DIRECTORY), screen);
      screen.line('');
      for (const line of demo.whatNext(program)) screen.line(line);
      return code;
    }
    case 'run':
      return run(invocation.config, screen);
  }
}

const screen = createScreen(process.stderr);
try {
  process.exitCode = await main(process.argv.slice(2), screen);
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  screen.line(`flowpatrol: ${error.message}`);
  for (const line of error.hint === '' ? [] : error.hint.split('\n')) screen.line(`  ${line}`);
  process.exitCode = error.exitCode;
}
