/** `flowpatrol scripts`: the custom scripts of a running flowpatrol, or of folders where none runs. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SocketError } from '../../api/address.ts';
import { ask, NotRunning, Refused } from '../../api/client.ts';
import type { Config } from '../../config.ts';
import type { ScriptSwitch } from '../../scripts/report.ts';
import { createScriptSwitches, type ScriptSwitches } from '../../store/script-switches.ts';
import { openSettings, SETTINGS_FILE, SettingsError } from '../../store/settings.ts';
import { runError, usageError } from '../errors.ts';
import { didYouMean } from '../options.ts';
import type { ScriptInvocation } from '../parse.ts';
import { controlError } from '../prefs.ts';
import { checkFolders } from './check.ts';
import type { Surroundings } from './command.ts';
import { newScript } from './new.ts';
import { loadScripts } from './offline.ts';
import { type ListedScript, listLines, sourceLines } from './table.ts';

const VERBS = ['list', 'check', 'new', 'show', 'enable', 'disable', 'shadow'] as const;
const USAGE = 'flowpatrol scripts [list | check | new NAME | show KEY | enable KEY | disable KEY | shadow KEY]';
const SWITCHED: Readonly<Record<'enable' | 'disable' | 'shadow', ScriptSwitch>> = { enable: 'on', disable: 'off', shadow: 'shadow' };

/** What came of a question to the flowpatrol that runs: undefined = none does. */
async function running<T>(directory: string | undefined, question: (directory: string) => Promise<T>): Promise<T | undefined> {
  if (directory === undefined) return undefined;
  try {
    return await question(directory);
  } catch (error) {
    if (error instanceof NotRunning || error instanceof SocketError) return undefined;
    if (error instanceof Refused) throw runError(error.message, error.problem.hint);
    throw controlError(error, directory);
  }
}

/** @throws CommandError */
function withSwitches<T>(directory: string | undefined, note: (line: string) => void, work: (switches: ScriptSwitches) => T): T {
  try {
    const settings = openSettings(directory, note);
    try {
      return work(createScriptSwitches(settings));
    } finally {
      settings.close();
    }
  } catch (error) {
    if (error instanceof SettingsError) throw runError(error.message);
    throw error;
  }
}

/** Of the running flowpatrol, or else of the folders with what is stored. */
async function listed({ config }: ScriptInvocation, note: (line: string) => void): Promise<ListedScript[]> {
  const { dataDirectory, interfaces } = config;
  const answer = await running(dataDirectory, (directory) => ask<{ scripts: ListedScript[] }>(directory, 'GET', '/scripts'));
  if (answer !== undefined) {
    return answer.scripts.filter((script) => interfaces.length === 0 || interfaces.includes(script.interface ?? ''));
  }
  if (dataDirectory !== undefined) note(`no flowpatrol runs with ${dataDirectory}: these are the scripts of the folders`);
  const stored = dataDirectory !== undefined && existsSync(join(dataDirectory, SETTINGS_FILE)) ? dataDirectory : undefined;
  const switches = withSwitches(stored, note, (of) => of.of(interfaces[0] ?? ''));
  return loadScripts(config, switches, note);
}

async function found(given: ScriptInvocation, key: string, note: (line: string) => void): Promise<ListedScript> {
  const scripts = await listed(given, note);
  const script = scripts.find((each) => each.key === key) ?? scripts.find((each) => each.file === key);
  if (script !== undefined) return script;
  throw usageError(
    `there is no script '${key}'`,
    didYouMean(
      key,
      scripts.map((each) => each.key),
    ) || 'flowpatrol scripts list shows them',
  );
}

async function switchScript(config: Config, key: string, state: ScriptSwitch, note: (line: string) => void): Promise<string[]> {
  const { dataDirectory, interfaces } = config;
  if (dataDirectory === undefined) throw usageError('a switch is kept in the data directory', 'add -d DIR');
  const names = interfaces.length === 0 ? [undefined] : interfaces;
  const lines = names.map((name) => `${key}: ${state}${name === undefined ? '' : ` on ${name}`}`);
  const answer = await running(dataDirectory, async (directory) => {
    for (const name of names) {
      const body = { state, ...(name === undefined ? {} : { interface: name }) };
      await ask(directory, 'PUT', `/scripts/${encodeURIComponent(key)}/switch`, body);
    }
    return lines;
  });
  if (answer !== undefined) return answer;
  if (statSync(dataDirectory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw runError(`there is no data directory ${dataDirectory}`, `mkdir ${dataDirectory}, or run flowpatrol with -d ${dataDirectory}`);
  }
  withSwitches(dataDirectory, note, (switches) => {
    for (const name of names) switches.set(name, key, state);
  });
  note(`no flowpatrol runs with ${dataDirectory}: it is stored there for the next run`);
  return lines;
}

/** @returns the exit code */
export async function scripts(given: ScriptInvocation, { stdout, screen }: Surroundings): Promise<number> {
  const { config, words, of, json } = given;
  const [word = 'list', name] = words;
  const verb = VERBS.find((known) => known === word);
  if (verb === undefined) throw usageError(`scripts: '${word}' is none of ${VERBS.join(', ')}`, didYouMean(word, VERBS) || USAGE);
  const named = verb !== 'list' && verb !== 'check';
  if (named !== (name !== undefined)) throw usageError(`scripts ${verb} takes ${named ? 'a name' : 'no name'}`, USAGE);
  if (of.language !== undefined && verb !== 'new') throw usageError('--lua and --ts belong to scripts new', USAGE);
  const note = (line: string): void => screen.line(line);
  const write = (lines: readonly string[]): void => stdout.write(`${lines.join('\n')}\n`);

  switch (verb) {
    case 'list': {
      const all = await listed(given, note);
      if (json) write([JSON.stringify({ scripts: all })]);
      else write(all.length === 0 ? ['no scripts'] : listLines(all));
      return all.some((script) => script.state === 'error') ? 1 : 0;
    }
    case 'check':
      return checkFolders(config, json, write);
    case 'new':
      write(newScript(config, name as string, of.language));
      return 0;
    case 'show': {
      const script = await found(given, name as string, note);
      const source = readFileSync(script.path, 'utf8');
      if (json) write([JSON.stringify({ ...script, source })]);
      else write(sourceLines(script, source));
      return 0;
    }
    default:
      write(await switchScript(config, name as string, SWITCHED[verb], note));
      return 0;
  }
}
