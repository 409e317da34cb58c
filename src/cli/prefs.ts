/**
 * `flowpatrol prefs`: shows and changes preferences, of the flowpatrol that runs with the data directory, or of what is stored there
 * when none runs. Called by main.ts.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SocketError } from '../api/address.ts';
import { ask, NotRunning, Refused } from '../api/client.ts';
import { isPreference, PREFERENCE_NAMES, PreferenceError, type PreferenceName } from '../preferences.ts';
import { createPreferenceBook, type PreferenceState } from '../store/preferences.ts';
import { openSettings, SETTINGS_FILE, SettingsError } from '../store/settings.ts';
import { runError, usageError } from './errors.ts';
import { fit, printable, table } from './format.ts';
import { didYouMean } from './options.ts';

const VERBS = ['list', 'get', 'set', 'reset'] as const;

type Action =
  | { readonly verb: 'list' }
  | { readonly verb: 'get' | 'reset'; readonly name: PreferenceName }
  | { readonly verb: 'set'; readonly name: PreferenceName; readonly value: string };

/** @throws usage errors */
export function actionOf([word = 'list', name, value, more]: readonly string[]): Action {
  const verb = VERBS.find((known) => known === word);
  const usage = 'flowpatrol prefs [list | get NAME | set NAME VALUE | reset NAME] -d DIR';
  if (verb === undefined) throw usageError(`prefs: '${word}' is none of ${VERBS.join(', ')}`, didYouMean(word, VERBS) || usage);
  const wanted = { list: 0, get: 1, reset: 1, set: 2 }[verb];
  const given = [name, value, more].filter((text) => text !== undefined).length;
  if (given !== wanted) throw usageError(`prefs ${verb} takes ${['nothing', 'a name', 'a name and a value'][wanted]}`, usage);
  if (verb === 'list' || name === undefined) return { verb: 'list' };
  if (!isPreference(name)) {
    throw usageError(`there is no preference '${name}'`, didYouMean(name, PREFERENCE_NAMES) || 'flowpatrol prefs lists them');
  }
  return verb === 'set' ? { verb, name, value: value as string } : { verb, name };
}

interface Answer {
  readonly states: readonly PreferenceState[];
  readonly running: boolean;
}

async function askRunning(directory: string, action: Action): Promise<PreferenceState[]> {
  switch (action.verb) {
    case 'list':
      return (await ask<{ preferences: PreferenceState[] }>(directory, 'GET', '/preferences')).preferences;
    case 'get':
      return [await ask<PreferenceState>(directory, 'GET', `/preferences/${action.name}`)];
    case 'set':
      return [await ask<PreferenceState>(directory, 'PUT', `/preferences/${action.name}`, { value: action.value })];
    case 'reset':
      return [await ask<PreferenceState>(directory, 'DELETE', `/preferences/${action.name}`)];
  }
}

function askStored(directory: string, action: Action, note: (line: string) => void): PreferenceState[] {
  const reading = action.verb === 'list' || action.verb === 'get';
  const there = statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!there && !reading)
    throw runError(`there is no data directory ${directory}`, `mkdir ${directory}, or run flowpatrol with -d ${directory}`);
  // looking leaves no file behind
  const settings = openSettings(reading && !existsSync(join(directory, SETTINGS_FILE)) ? undefined : directory, note);
  try {
    const book = createPreferenceBook({ settings, commandLine: {} });
    switch (action.verb) {
      case 'list':
        return book.states();
      case 'get':
        return [book.state(action.name)];
      case 'set':
        return [book.set(action.name, action.value)];
      case 'reset':
        return [book.reset(action.name)];
    }
  } finally {
    settings.close();
  }
}

async function answerOf(directory: string, action: Action, note: (line: string) => void): Promise<Answer> {
  try {
    return { states: await askRunning(directory, action), running: true };
  } catch (error) {
    if (error instanceof Refused) {
      throw error.problem.code === 'wrong-value' ? usageError(error.message) : runError(error.message, error.problem.hint);
    }
    if (!(error instanceof NotRunning || error instanceof SocketError)) throw controlError(error, directory);
  }
  try {
    return { states: askStored(directory, action, note), running: false };
  } catch (error) {
    if (error instanceof PreferenceError) throw usageError(error.message);
    if (error instanceof SettingsError) throw runError(error.message);
    throw error;
  }
}

/** What went wrong between us and the flowpatrol that runs. */
export function controlError(error: unknown, directory: string): Error {
  const { code, message, name } = error as NodeJS.ErrnoException;
  if (error instanceof NotRunning) return runError(`no flowpatrol runs with ${directory}`, `flowpatrol -i … -d ${directory}`);
  if (code === 'EACCES')
    return runError(`no permission to talk to the flowpatrol of ${directory}`, 'it answers the user who started it, and root');
  if (name === 'AbortError' || name === 'TimeoutError') return runError(`the flowpatrol of ${directory} does not answer`);
  return runError(`the flowpatrol of ${directory} does not answer: ${message}`);
}

/** `1G`, as it can be typed, where it is a whole number of such. */
function valueText({ type, unit }: PreferenceState, value: PreferenceState['value']): string {
  if (type === 'bool') return value === true ? 'on' : 'off';
  if (type === 'addresses') return value === '' ? 'any' : printable(String(value));
  if (unit !== 'bytes') return `${value} ${unit}`;
  let rest = Number(value);
  let power = 0;
  while (rest >= 1024 && rest % 1024 === 0 && power < 4) {
    rest /= 1024;
    power++;
  }
  return `${rest}${' KMGT'[power]?.trim() ?? ''}`;
}

const originText = (state: PreferenceState): string =>
  state.origin === 'command line' && state.stored !== undefined
    ? `command line (${valueText(state, state.stored)} is stored)`
    : state.origin;

function listLines(states: readonly PreferenceState[], columns: number): string[] {
  const rows = states.map((state) => [state.name, valueText(state, state.value), originText(state), state.doc]);
  const lines = table([{ title: 'Preference' }, { title: 'value' }, { title: 'from' }, { title: 'meaning' }], rows);
  return columns === Number.POSITIVE_INFINITY ? lines : lines.map((line) => fit(line, columns).trimEnd());
}

function detailLines(state: PreferenceState): string[] {
  const { name, value, range, unit, doc } = state;
  return [
    `${name} = ${valueText(state, value)}`,
    `  ${doc}`,
    `  from: ${originText(state)}`,
    `  default: ${valueText(state, state.default)}${range === undefined ? '' : `, range: ${range.from} to ${range.to} ${unit}`}`,
  ];
}

export interface PrefsOutput {
  readonly terminal: boolean;
  readonly columns: number;
  write(text: string): void;
  /** Takes lines that are no data. */
  note(line: string): void;
}

/** @returns the exit code */
export async function prefs(directory: string, words: readonly string[], json: boolean, output: PrefsOutput): Promise<number> {
  const action = actionOf(words);
  const { states, running } = await answerOf(directory, action, output.note);
  const [state] = states;
  const lines = (text: readonly string[]): void => output.write(`${text.join('\n')}\n`);
  if (!running) output.note(`no flowpatrol runs with ${directory}: this is what is stored there`);
  if (json) {
    lines([JSON.stringify(action.verb === 'list' ? { preferences: states } : state)]);
  } else if (action.verb === 'list') {
    lines(listLines(states, output.terminal ? output.columns : Number.POSITIVE_INFINITY));
  } else if (state !== undefined && action.verb === 'get') {
    lines(output.terminal ? detailLines(state) : [String(state.value)]);
  } else if (state !== undefined) {
    lines([`${state.name} = ${valueText(state, state.value)} (${originText(state)})`]);
    if (state.origin === 'command line')
      output.note('this run keeps what its command line says; what is stored holds from the next start on');
  }
  return 0;
}
