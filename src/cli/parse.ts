/**
 * Arguments and the configuration file in, a command out. Looks at no files but the configuration file; whether interfaces
 * and files exist is checked by check.ts. commander splits the arguments; what they mean stands in options.ts.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { type Config, DEFAULT_CONFIG } from '../config.ts';
import { parseConfigurationFile } from './configuration-file.ts';
import { usageError } from './errors.ts';
import { didYouMean, OPTIONS, type OptionDeclaration } from './options.ts';

export type Invocation =
  | { readonly command: 'run'; readonly config: Config }
  /** Nothing was said at all. */
  | { readonly command: 'demo' }
  | { readonly command: 'interfaces' | 'help' | 'version' };

const COMMANDS = ['interfaces', 'help', 'version'] as const;

/** How an option is called in messages: `-i`, `--max-idle`. */
export const nameOf = (option: OptionDeclaration): string => (option.short === undefined ? `--${option.name}` : `-${option.short}`);

interface Given {
  readonly words: readonly string[];
  readonly texts: ReadonlyMap<OptionDeclaration, string[]>;
}

/** Splits the arguments. @throws usage errors */
function split(args: readonly string[]): Given {
  const texts = new Map<OptionDeclaration, string[]>();
  const program = new Command('flowpatrol')
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .helpOption(false)
    .helpCommand(false)
    .allowExcessArguments()
    .argument('[words...]');
  for (const option of OPTIONS) {
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
      hint || 'flowpatrol --help shows all options',
    );
  }
  return { words: program.args, texts };
}

function checkWords(words: readonly string[]): (typeof COMMANDS)[number] | undefined {
  const [word, more] = words;
  if (word === undefined) return undefined;
  const command = COMMANDS.find((known) => known === word);
  if (command === undefined) {
    throw usageError(
      `unknown command '${word}'`,
      didYouMean(word, COMMANDS) || `interfaces and capture files follow -i: did you mean -i ${word}?`,
    );
  }
  if (more !== undefined) throw usageError(`'${more}' after the command ${command} is too much`);
  return command;
}

const option = (name: string): OptionDeclaration => OPTIONS.find((known) => known.name === name) as OptionDeclaration;

function readFile(path: string): ReturnType<typeof parseConfigurationFile> {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw usageError(`--config: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return parseConfigurationFile(content, path);
}

/**
 * @param scriptDirectory where scripts are when no other folder is given
 * @throws CommandError
 */
export function parse(args: readonly string[], scriptDirectory: string): Invocation {
  const { words, texts } = split(args);
  const command = checkWords(words);
  if (texts.has(option('help')) || command === 'help') return { command: 'help' };
  if (texts.has(option('version')) || command === 'version') return { command: 'version' };
  if (command !== undefined) return { command };
  if (texts.size === 0) return { command: 'demo' };

  let config: Config = { ...DEFAULT_CONFIG, scriptDirectories: [scriptDirectory] };
  const configFile = texts.get(option('config'))?.at(-1);
  const fromFile = configFile === undefined ? [] : readFile(configFile);
  for (const declared of OPTIONS) {
    const given = texts.get(declared);
    if (given !== undefined) {
      if (given.length > 1 && declared.value !== undefined && !declared.repeatable) {
        throw usageError(`${nameOf(declared)} is given ${given.length} times`, 'it can be given once');
      }
      config = { ...config, ...declared.read(given, nameOf(declared)) };
      continue;
    }
    const lines = fromFile.filter((line) => line.option === declared);
    if (lines.length === 0) continue;
    const where = `${lines.at(-1)?.where}: ${declared.name}`;
    config = {
      ...config,
      ...declared.read(
        lines.map((line) => line.text),
        where,
      ),
    };
  }
  checkContradictions(config);
  return { command: 'run', config };
}

/** What each option alone cannot know. */
function checkContradictions(config: Config): void {
  if (config.interfaces.length === 0) {
    throw usageError(
      'nothing to look at: no -i given',
      '-i eth0 for an interface (flowpatrol interfaces lists them), -i FILE for a capture',
    );
  }
  const twice = config.interfaces.find((name, index) => config.interfaces.indexOf(name) !== index);
  if (twice === '-') throw usageError('-i - is given twice: standard input can be read once');
  if (twice !== undefined) throw usageError(`-i ${twice} is given twice`);
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
