/**
 * Arguments and the configuration file in, a command out. Looks at no files but the configuration file; whether interfaces
 * and files exist is checked by check.ts. commander splits the arguments; what they mean stands in commands.ts, options.ts and
 * view-options.ts.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { type Config, DEFAULT_CONFIG } from '../config.ts';
import type { Preferences } from '../preferences.ts';
import { ALL_OPTIONS, type AnyOption, COMMANDS, type CommandDeclaration, type CommandName, commandNamed } from './commands.ts';
import { type FileOption, parseConfigurationFile } from './configuration-file.ts';
import { usageError } from './errors.ts';
import { didYouMean, OPTIONS, type OptionDeclaration, type OptionOf } from './options.ts';
import { DEFAULT_SCRIPT_OPTIONS, SCRIPT_OPTIONS, type ScriptOptions } from './scripts/options.ts';
import { DEFAULT_VIEW, VIEW_OPTIONS, type ViewOptions } from './view-options.ts';

export type Invocation =
  | { readonly command: 'run'; readonly config: Config }
  /** Also where nothing was said of what to look at; `config`: what was said of the rest. */
  | { readonly command: 'demo'; readonly config?: Config }
  | { readonly command: 'version' }
  /** `directory`: of the running flowpatrol whose interfaces are wanted. */
  | { readonly command: 'interfaces'; readonly directory?: string; readonly view: ViewOptions }
  /** `''`: the help on one screen; `options`: all options; else of a command. */
  | { readonly command: 'help'; readonly topic: CommandName | 'options' | '' }
  | { readonly command: 'flows' | 'doctor'; readonly config: Config; readonly view: ViewOptions }
  | { readonly command: 'top'; readonly directory: string; readonly view: ViewOptions }
  /** `words`: what follows the command. */
  | { readonly command: 'prefs'; readonly directory: string; readonly words: readonly string[]; readonly view: ViewOptions }
  | ({ readonly command: ScriptCommandName } & ScriptInvocation);

export type ScriptCommandName = 'scripts' | 'test' | 'record' | 'replay' | 'explain';

/** What the commands about scripts are given. */
export interface ScriptInvocation {
  readonly config: Config;
  readonly words: readonly string[];
  readonly of: ScriptOptions;
  readonly json: boolean;
}

/** How an option is called in messages: `-i`, `--max-idle`. */
export const nameOf = (option: AnyOption): string => (option.short === undefined ? `--${option.name}` : `-${option.short}`);

/** Without a word of what to look at, these are about the demo. */
const DEMO_OPTIONS: ReadonlySet<string> = new Set(commandNamed('demo')?.options);

/** What was said for each option, in order. */
type Texts = ReadonlyMap<AnyOption, string[]>;

/** Splits the arguments. @throws usage errors */
function split(args: readonly string[]): { readonly words: readonly string[]; readonly texts: Texts } {
  const texts = new Map<AnyOption, string[]>();
  const program = new Command('flowpatrol')
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .helpOption(false)
    .helpCommand(false)
    .allowExcessArguments()
    .argument('[words...]');
  for (const option of ALL_OPTIONS) {
    const value = option.value === undefined ? '' : ' <value>';
    const short = option.short === undefined ? '' : `-${option.short}, `;
    for (const [index, name] of [option.name, ...(option.aliases ?? [])].entries()) {
      const declared = new Option(`${index === 0 ? short : ''}--${name}${value}`);
      program.addOption(declared);
      program.on(`option:${declared.name()}`, (text: string | null) => {
        texts.set(option, [...(texts.get(option) ?? []), text ?? '']);
      });
    }
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n');
    const hint = more
      .join(' ')
      .replace(/^\((.*)\)$/, '$1')
      .replace(/^Did/, 'did');
    throw usageError(
      message.replace(/option '(.*?) <value>' argument missing/, "option '$1' needs a value"),
      hint || 'flowpatrol --help shows the options',
    );
  }
  return { words: program.args, texts };
}

function commandOf(word: string): (typeof COMMANDS)[number] {
  const command = commandNamed(word);
  if (command !== undefined) return command;
  const names = COMMANDS.map((known) => known.name);
  throw usageError(
    `unknown command '${word}'`,
    didYouMean(word, names) || `interfaces and capture files follow -i: did you mean -i ${word}?`,
  );
}

function topicOf(word: string): CommandName | 'options' | '' {
  if (word === '' || word === 'options') return word;
  return commandOf(word).name;
}

/** Is each option one of the command's, and given no more often than it can be? */
function checkGiven(texts: Texts, command: CommandDeclaration | undefined): void {
  for (const [option, given] of texts) {
    const allowed = command === undefined ? (OPTIONS as readonly AnyOption[]).includes(option) : command.options.includes(option.name);
    if (!allowed) {
      const of = COMMANDS.filter((known) => (known.options as readonly string[]).includes(option.name)).map((known) => known.name);
      throw command === undefined
        ? usageError(`${nameOf(option)} belongs to a command`, `flowpatrol ${of[0]} … ${nameOf(option)}`)
        : usageError(`${command.name} has no option ${nameOf(option)}`, `flowpatrol help ${command.name} shows its options`);
    }
    if (given.length > 1 && option.value !== undefined && !option.repeatable) {
      throw usageError(`${nameOf(option)} is given ${given.length} times`, 'it can be given once');
    }
  }
}

const option = (name: string): OptionDeclaration => OPTIONS.find((known) => known.name === name) as OptionDeclaration;

function readFile(path: string): FileOption[] {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw usageError(`--config: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return parseConfigurationFile(content, path);
}

/** The parts of options one after another; lists and preferences come from several options. */
function merged(config: Config, part: Partial<Config>): Config {
  return {
    ...config,
    ...part,
    lists: [...config.lists, ...(part.lists ?? [])],
    preferences: { ...config.preferences, ...part.preferences },
    ...(part.tls === undefined ? {} : { tls: { ...config.tls, ...part.tls } }),
  };
}

/** The configuration with these preferences. */
export const withPreferences = (config: Config, preferences: Partial<Preferences>): Config => ({ ...config, preferences });

/** An option on the command line replaces that of the file, and has the last word. */
function configOf(texts: Texts, base: Config, wanted: (name: string) => boolean): Config {
  const file = texts.get(option('config'))?.at(-1);
  const lines = file === undefined ? [] : readFile(file);
  let config = base;
  for (const declared of OPTIONS) {
    const of = lines.filter((line) => line.option === declared);
    if (of.length === 0 || texts.has(declared) || !wanted(declared.name)) continue;
    const where = `${of.at(-1)?.where}: ${declared.name}`;
    config = merged(
      config,
      declared.read(
        of.map((line) => line.text),
        where,
      ),
    );
  }
  for (const declared of OPTIONS) {
    const given = texts.get(declared);
    if (given !== undefined) config = merged(config, declared.read(given, nameOf(declared)));
  }
  return withPreferences(config, config.preferences);
}

/** What was said for the options of one kind, over their defaults. */
function readOptions<T extends object>(texts: Texts, declarations: readonly (OptionOf<T> & AnyOption)[], defaults: T): T {
  const parts = declarations.map((declared) => {
    const given = texts.get(declared);
    return given === undefined ? {} : declared.read(given, nameOf(declared));
  });
  return Object.assign({}, defaults, ...parts) as T;
}

/**
 * @param scriptDirectory where scripts are when no other folder is given
 * @throws CommandError
 */
export function parse(args: readonly string[], scriptDirectory: string): Invocation {
  const { words, texts } = split(args);
  const [word, ...more] = words;
  const command = word === undefined ? undefined : commandOf(word);
  if (command !== undefined && more.length > command.words) {
    throw usageError(`'${more[command.words]}' after ${command.name} is too much`, `flowpatrol ${command.name} ${command.usage}`.trimEnd());
  }
  if (texts.has(option('help'))) return { command: 'help', topic: command?.name ?? '' };
  if (texts.has(option('version'))) return { command: 'version' };
  if (command === undefined && texts.size === 0) return { command: 'demo' };
  checkGiven(texts, command);

  const base = { ...DEFAULT_CONFIG, scriptDirectories: [scriptDirectory] };
  const config = configOf(texts, base, (name) => command === undefined || (command.options as readonly string[]).includes(name));
  const view = readOptions<ViewOptions>(texts, VIEW_OPTIONS, DEFAULT_VIEW);
  if (command === undefined) {
    if ([...texts.keys()].every((given) => DEMO_OPTIONS.has(given.name))) {
      checkTls(config);
      return { command: 'demo', config };
    }
    checkInput(config, '');
    checkOutputs(config);
    checkTls(config);
    return { command: 'run', config };
  }
  switch (command.name) {
    case 'flows':
      checkInput(config, 'flows ');
      // the project's own scripts have nothing to do with a table
      return { command: 'flows', view, config: { ...config, scripts: config.scripts && texts.has(option('scripts-dir')) } };
    case 'doctor':
      return { command: 'doctor', config, view };
    case 'top':
      return { command: 'top', directory: directoryOf(config, 'top'), view };
    case 'prefs':
      return { command: 'prefs', directory: directoryOf(config, 'prefs'), words: more, view };
    case 'record':
      checkInput(config, 'record ');
      checkOutputs(config);
      return { command: 'record', config, words: more, of: scriptOptions(texts), json: view.json };
    case 'scripts':
    case 'test':
    case 'replay':
    case 'explain':
      return { command: command.name, config, words: more, of: scriptOptions(texts), json: view.json };
    case 'interfaces':
      return { command: 'interfaces', ...(config.dataDirectory === undefined ? {} : { directory: config.dataDirectory }), view };
    case 'demo':
      checkTls(config);
      return texts.size === 0 ? { command: 'demo' } : { command: 'demo', config };
    case 'version':
      return { command: 'version' };
    case 'help':
      return { command: 'help', topic: topicOf(more[0] ?? '') };
  }
}

const scriptOptions = (texts: Texts): ScriptOptions => readOptions<ScriptOptions>(texts, SCRIPT_OPTIONS, DEFAULT_SCRIPT_OPTIONS);

function directoryOf({ dataDirectory }: Config, command: string): string {
  if (dataDirectory !== undefined) return dataDirectory;
  throw usageError(`${command} needs the data directory`, `flowpatrol ${command} -d DIR, with the DIR that the run was given`);
}

/** What each option alone cannot know. */
function checkInput(config: Config, command: string): void {
  if (config.interfaces.length === 0) {
    throw usageError(
      'nothing to look at: no -i given',
      command === ''
        ? '-i eth0 for an interface (flowpatrol interfaces lists them), -i FILE for a capture'
        : `flowpatrol ${command}-i FILE for a capture`,
    );
  }
  const twice = config.interfaces.find((name, index) => config.interfaces.indexOf(name) !== index);
  if (twice === '-') throw usageError('-i - is given twice: standard input can be read once');
  if (twice !== undefined) throw usageError(`-i ${twice} is given twice`);
}

function checkTls({ tls }: Config): void {
  if (tls === undefined) return;
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw usageError(
      tls.cert === undefined ? '--tls-key is given without --tls-cert' : '--tls-cert is given without --tls-key',
      'HTTPS needs both',
    );
  }
  if (tls.cert !== undefined && tls.selfSigned === true)
    throw usageError('--tls-cert and --tls-self-signed exclude each other', 'give one of them');
}

function checkOutputs(config: Config): void {
  const outputs = [
    ['--export-flows', config.exportFlows],
    ['--export-events', config.exportEvents],
    ['--export-alerts', config.exportAlerts],
  ] as const;
  for (const [index, [name, file]] of outputs.entries()) {
    const other = file === undefined ? undefined : outputs.slice(0, index).find(([, earlier]) => earlier === file);
    if (other === undefined) continue;
    if (file === '-') throw usageError(`${other[0]} and ${name} both write to standard output`, 'give one of them a file');
    throw usageError(`${other[0]} and ${name} both write to ${file}`, 'give each of them a file of its own');
  }
}
