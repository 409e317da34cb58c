#!/usr/bin/env node
/**
 * The program: arguments → command → exit code.
 *
 *   0 done (also after one signal)   1 could not be done   2 wrong options   130 (of SIGINT) ended at once by a second signal
 *
 * What a command has to say goes to standard output, as exports do; the rest goes to standard error.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { FolderError } from '../folders.ts';
import type { InterfaceKind } from '../interfaces/protocol.ts';
import { CommandError, runError } from './errors.ts';
import { type Invocation, parse } from './parse.ts';
import { createScreen, type Screen } from './screen.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const SCRIPT_DIRECTORY = join(PROJECT, 'scripts/callbacks/interface/alerts/flow');

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

const version = (): string => (JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string }).version;

async function versions(): Promise<string> {
  const { native } = await withAddon(() => import('../native.ts'));
  return `flowpatrol ${version()}, Node ${process.version}, ${native.pcapVersion()}, nDPI ${native.dpiVersion()}`;
}

const kindsOf = async (config: Config): Promise<(name: string) => InterfaceKind> =>
  (await withAddon(() => import('./check.ts'))).checkConfig(config);

async function runWith(config: Config, screen: Screen): Promise<number> {
  const kindOf = await kindsOf(config);
  const { run } = await import('./run.ts');
  return run(config, kindOf, version(), screen);
}

const write = (text: string): void => void process.stdout.write(text);

const stdout = {
  terminal: process.stdout.isTTY === true,
  columns: process.stdout.columns || 80,
  write,
};

async function execute(invocation: Invocation, screen: Screen): Promise<number> {
  const note = (line: string): void => screen.line(line);
  switch (invocation.command) {
    case 'run':
      return runWith(invocation.config, screen);
    case 'flows': {
      const { config, view } = invocation;
      const kindOf = await kindsOf(config);
      const { flows } = await import('./flows.ts');
      return flows(config, view, kindOf, stdout, screen);
    }
    case 'top': {
      const { top } = await import('./top.ts');
      return top(invocation.directory, invocation.view, { input: process.stdin, output: process.stdout }, stdout, note);
    }
    case 'prefs': {
      const { prefs } = await import('./prefs.ts');
      return prefs(invocation.directory, invocation.words, invocation.view.json, { ...stdout, note });
    }
    case 'scripts':
    case 'test':
    case 'record':
    case 'replay':
    case 'explain': {
      const { scriptCommand } = await withAddon(() => import('./scripts/command.ts'));
      return scriptCommand(invocation.command, invocation, { version: version(), stdout, screen });
    }
    case 'doctor': {
      const { doctor } = await import('./doctor.ts');
      const colour = stdout.terminal && !process.env.NO_COLOR;
      return doctor(invocation.config, write, { json: invocation.view.json, colour, columns: stdout.columns });
    }
    case 'demo': {
      const demo = await withAddon(() => import('./demo.ts'));
      screen.line(demo.DEMO_GREETING);
      const code = await runWith(demo.demoConfig(PROJECT, SCRIPT_DIRECTORY, invocation.config), screen);
      screen.line('');
      for (const line of demo.whatNext(program)) screen.line(line);
      return code;
    }
    case 'interfaces': {
      const { interfacesTable, runningInterfaces } = await withAddon(() => import('./interfaces.ts'));
      const { directory, view } = invocation;
      const lines = directory === undefined ? interfacesTable() : await runningInterfaces(directory, view);
      write(`${lines.join('\n')}\n`);
      return 0;
    }
    case 'help': {
      const { helpText } = await import('./help.ts');
      write(helpText(invocation.topic));
      return 0;
    }
    case 'version':
      write(`${await versions()}\n`);
      return 0;
  }
}

const screen = createScreen(process.stderr);
// whoever read the answer has enough of it (`| head`)
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
try {
  process.exitCode = await execute(parse(process.argv.slice(2), SCRIPT_DIRECTORY), screen);
} catch (thrown) {
  const error = thrown instanceof FolderError ? runError(thrown.message) : thrown;
  if (!(error instanceof CommandError)) throw error;
  screen.line(`flowpatrol: ${error.message}`);
  for (const line of error.hint === '' ? [] : error.hint.split('\n')) screen.line(`  ${line}`);
  process.exitCode = error.exitCode;
}
